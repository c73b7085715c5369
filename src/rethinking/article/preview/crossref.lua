-- The part of Quarto that the article uses, for plain pandoc: numbered sections, figures, tables and equations,
-- references to them, and callouts. (supported.lua refuses whatever else Quarto knows.)
--
-- Numbers are written into the text here, by one rule for HTML and for Typst: the two cannot disagree.
-- A warning in the log is a problem; preview.py reads it as JSON and finds the line of its needle.

local html = FORMAT:match 'html' ~= nil
local words = { fig = 'Figure', tbl = 'Table', sec = 'Section', eq = 'Equation' }
local callouts = { note = 'Note', tip = 'Tip', warning = 'Warning', important = 'Important', caution = 'Caution' }
local nbsp = '\u{a0}'

local labels = {} -- identifier -> number as text, or false for a section without one
local counts = { fig = 0, tbl = 0, eq = 0 }

local function problem(needle, sentence)
  pandoc.log.warn(pandoc.json.encode { needle = needle, sentence = sentence })
end

local function kind_of(identifier)
  local kind = identifier:match '^(%a+)%-'
  return kind and words[kind:lower()] and kind:lower()
end

local function define(identifier, number)
  if labels[identifier] ~= nil then
    problem('#' .. identifier, identifier .. ' is defined here and a second time')
  end
  labels[identifier] = number
end

local function count(kind, identifier)
  counts[kind] = counts[kind] + 1
  define(identifier, tostring(counts[kind]))
  return labels[identifier]
end

-- Returns "Figure 1: " before the inlines of a caption; an unlabelled caption has no number, as in Quarto.
local function captioned(identifier, inlines)
  local kind = kind_of(identifier)
  if not kind then return inlines end
  local before = pandoc.Str(words[kind] .. nbsp .. count(kind, identifier) .. ':')
  return pandoc.Inlines { before, pandoc.Space() } .. inlines
end

-- 1. Callouts, first: a heading that is a callout's title is no section --------------------------------------

local function callout(div)
  local kind = (div.classes[1] or ''):match '^callout%-(%a+)$'
  if not kind then return nil end
  local title = pandoc.Inlines(callouts[kind])
  local body = div.content
  if div.attributes.title then
    title = pandoc.utils.blocks_to_inlines(pandoc.read(div.attributes.title, 'markdown').blocks)
  elseif body[1] and body[1].t == 'Header' then
    title = body:remove(1).content
  end
  local opening, middle, closing
  if not html then
    opening, middle, closing = '#callout("' .. kind .. '", [', '])[', ']'
  elseif div.attributes.collapse then
    local open = div.attributes.collapse == 'false' and ' open' or ''
    opening = '<details class="callout callout-' .. kind .. '"' .. open .. '><summary>'
    middle, closing = '</summary>', '</details>'
  else
    opening = '<div class="callout callout-' .. kind .. '" role="note"><p class="callout-title">'
    middle, closing = '</p>', '</div>'
  end
  local function raw_block(text) return pandoc.RawBlock(html and 'html' or 'typst', text) end
  local blocks = pandoc.Blocks { raw_block(opening), pandoc.Plain(title), raw_block(middle) }
  blocks:extend(body)
  blocks:insert(raw_block(closing))
  return blocks
end

-- 2. Numbers, in the order of the document -------------------------------------------------------------------

local function number_sections(document)
  local top = 6
  document:walk { Header = function(header) top = math.min(top, header.level) end }
  local numbers = { 0, 0, 0, 0, 0, 0 }
  return function(header)
    local depth = header.level - top + 1
    header.level = html and depth + 1 or depth -- the page's title is its only <h1>
    if document.meta['number-sections'] ~= true or header.classes:includes 'unnumbered' then
      define(header.identifier, false)
      return header
    end
    numbers[depth] = numbers[depth] + 1
    for deeper = depth + 1, 6 do numbers[deeper] = 0 end
    local number = table.concat(numbers, '.', 1, depth)
    define(header.identifier, number)
    header.content:insert(1, pandoc.Space())
    header.content:insert(1, pandoc.Span(number, { class = 'section-number' }))
    return header
  end
end

-- Pandoc's Typst writer leaves out the description that a screen reader reads.
local function typst_image(image)
  local function quoted(text) return '"' .. text:gsub('[\\"]', '\\%0') .. '"' end
  local width = image.attributes.width and ', width: ' .. image.attributes.width or ''
  local alt = quoted(pandoc.utils.stringify(image.caption))
  return pandoc.RawInline('typst', '#image(' .. quoted(image.src) .. ', alt: ' .. alt .. width .. ')')
end

local function figure(element)
  element.content = element.content:walk {
    Image = function(image)
      local alt = image.attributes['fig-alt']
      if alt then
        image.caption, image.attributes['fig-alt'] = { pandoc.Str(alt) }, nil
      elseif kind_of(element.identifier) == 'fig' then
        problem('#' .. element.identifier, 'the figure ' .. element.identifier .. ' needs fig-alt="what it shows"')
      end
      return html and image or typst_image(image)
    end,
  }
  element.caption.long = {
    pandoc.Plain(captioned(element.identifier, pandoc.utils.blocks_to_inlines(element.caption.long))),
  }
  return element, false
end

local function table_block(element)
  local caption = captioned(element.identifier, pandoc.utils.blocks_to_inlines(element.caption.long))
  -- Pandoc turns a long pipe table's dashes into relative widths; the content knows better.
  for _, column in ipairs(element.colspecs) do column[2] = nil end
  if #caption == 0 then element.caption.long = {} else
    element.caption.long = { pandoc.Plain { pandoc.Span(caption, { class = 'caption-text' }) } }
  end
  if not html then return element, false end
  for _, row in ipairs(element.head.rows) do
    for _, cell in ipairs(row.cells) do cell.attributes.scope = 'col' end
  end
  for _, body in ipairs(element.bodies) do
    body.row_head_columns = 1
    for _, row in ipairs(body.body) do row.cells[1].attributes.scope = 'row' end
  end
  -- A wide table scrolls by itself, so it has to be reachable with the keyboard and to have a name.
  local number = labels[element.identifier]
  local name = number and words.tbl .. ' ' .. number or words.tbl
  local attributes = { tabindex = '0', role = 'region', ['aria-label'] = name }
  return pandoc.Div({ element }, pandoc.Attr('', { 'table-scroll' }, attributes)), false
end

-- `::: {#tbl-x}`: a table and, last, the paragraph that is its caption.
local function table_div(div)
  if kind_of(div.identifier) ~= 'tbl' then return nil end
  local element, last = div.content[1], div.content[2]
  if #div.content ~= 2 or element.t ~= 'Table' or last.t ~= 'Para' then
    problem('#' .. div.identifier, div.identifier .. ' needs one table and then one paragraph, its caption')
    return nil
  end
  element.identifier = div.identifier
  element.caption.long = { last }
  return table_block(element)
end

local function equations(paragraph)
  local inlines = pandoc.Inlines {}
  for _, inline in ipairs(paragraph.content) do
    local identifier, rest = (inline.text or ''):match '^{#(eq%-[^}]+)}(.*)$'
    local space = inlines[#inlines]
    if identifier and space and (space.t == 'Space' or space.t == 'SoftBreak') then inlines:remove() end
    local math = inlines[#inlines]
    if identifier and inline.t == 'Str' and math and math.mathtype == 'DisplayMath' then
      local number = '(' .. count('eq', identifier) .. ')'
      inlines:remove()
      if html then
        -- A long one scrolls by itself, so it has to be reachable with the keyboard and to have a name.
        local name = words.eq .. ' ' .. number:sub(2, -2)
        local scrolling = { tabindex = '0', role = 'group', ['aria-label'] = name }
        local formula = pandoc.Span({ math }, pandoc.Attr('', { 'formula' }, scrolling))
        local label = pandoc.Span(number, { class = 'equation-number' })
        inlines:insert(pandoc.Span({ formula, label }, pandoc.Attr(identifier, { 'equation' })))
      else
        inlines:insert(pandoc.RawInline('typst', '#[#set math.equation(numbering: _ => "' .. number .. '")\n'))
        inlines:insert(math)
        inlines:insert(pandoc.RawInline('typst', ' <' .. identifier .. '>]'))
      end
      if rest ~= '' then inlines:insert(pandoc.Str(rest)) end
    else
      inlines:insert(inline)
    end
  end
  paragraph.content = inlines
  return paragraph
end

-- 3. References ----------------------------------------------------------------------------------------------

local function reference(citation)
  local identifier = citation.id:sub(1, 1):lower() .. citation.id:sub(2)
  local kind, number = kind_of(identifier), labels[identifier]
  if number == nil then
    problem('@' .. citation.id, '@' .. citation.id .. ' refers to nothing: no {#' .. identifier .. '} in the article')
  elseif number == false then
    problem('@' .. citation.id, '@' .. citation.id .. ' refers to a section without a number (number-sections: true)')
  end
  local text = pandoc.Inlines {}
  if #citation.prefix > 0 then
    text = citation.prefix .. { pandoc.Str(nbsp) }
  elseif citation.mode ~= 'SuppressAuthor' then
    text:insert(pandoc.Str(words[kind] .. nbsp))
  end
  text:insert(pandoc.Str(number or '?'))
  return pandoc.Inlines { pandoc.Link(text, '#' .. identifier) } .. citation.suffix
end

local function cite(element)
  local inlines, references = pandoc.Inlines {}, 0
  for index, citation in ipairs(element.citations) do
    if kind_of(citation.id) then
      if index > 1 then inlines:extend { pandoc.Str ',', pandoc.Space() } end
      inlines:extend(reference(citation))
      references = references + 1
    end
  end
  if references == 0 then return nil end
  if references < #element.citations then
    problem('@' .. element.citations[1].id, 'cross references and citations stand in brackets of their own')
  end
  return inlines
end

-- A link within the page that leads nowhere: silent in HTML, the end of the run in Typst. One to another page is
-- checked when all are there; a PDF, which has but one, keeps its words.
local function link(element)
  local identifier = element.target:match '^#(.*)$'
  if identifier and labels[identifier] == nil then
    problem(element.target, 'the link to ' .. element.target .. ' leads nowhere')
  end
  local page, there = element.target:match '^([%w_-]+)%.qmd#?(.*)$'
  if not page then return nil end
  pandoc.log.info(pandoc.json.encode { written = element.target, page = page, identifier = there })
  if not html then return element.content end
  element.target = page .. '.html' .. (there ~= '' and '#' .. there or '')
  return element
end

-- The list of references has its place and heading even where the source gives none.
local function bibliography(document)
  local cited, placed = false, false
  document:walk {
    Cite = function() cited = true end,
    Div = function(div) placed = placed or div.identifier == 'refs' end,
  }
  if cited and not placed then
    document.blocks:insert(pandoc.Header(html and 2 or 1, 'References', { id = 'references', class = 'unnumbered' }))
    document.blocks:insert(pandoc.Div({}, { id = 'refs' }))
  end
  return document
end

function Pandoc(document)
  document = document:walk { Div = callout }
  document = document:walk {
    traverse = 'topdown',
    Header = number_sections(document),
    Figure = figure,
    Table = table_block,
    Div = table_div,
    Para = equations,
    Span = function(span) -- the author's: spans made here have classes
      if span.identifier ~= '' and #span.classes == 0 then define(span.identifier, false) end
    end,
  }
  return bibliography(document:walk { Cite = cite, Link = link })
end
