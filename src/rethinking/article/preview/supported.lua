-- What Quarto would do and the preview does not is refused, instead of being rendered wrongly.
--
-- The log carries messages to preview.py as JSON: a warning is a problem, an info names an image to copy.

local callouts = { 'callout-note', 'callout-tip', 'callout-warning', 'callout-important', 'callout-caution' }

local function problem(needle, sentence)
  pandoc.log.warn(pandoc.json.encode { needle = needle, sentence = sentence })
end

local function only(what, attributes, allowed)
  for key in pairs(attributes) do
    if not allowed[key] then
      problem(key, what .. ' with the attribute ' .. key .. ' is not supported by the preview')
    end
  end
end

-- A comment is no output; every other raw element would reach one of the two formats only.
local function raw(element)
  if not element.text:match '^%s*<!%-%-' then
    problem(element.text:match '[^\n]*', 'raw ' .. element.format .. ' is not supported: it reaches one format only')
  end
end

return { {
  RawBlock = raw,
  RawInline = raw,
  Div = function(div)
    local class = div.classes[1]
    if #div.classes == 1 and pandoc.List.includes(callouts, class) then
      only('a callout', div.attributes, { title = true, collapse = true })
    elseif not class and (div.identifier == 'refs' or div.identifier:match '^tbl%-') then
      only('a table', div.attributes, {})
    else
      local name = class or div.identifier
      problem(name, 'the block ::: {' .. name .. '} is not supported by the preview')
    end
  end,
  Span = function(span)
    local name = span.classes[1] ~= 'given' and span.classes[1] -- [46 %]{.given}: tests/article/test_numbers.py
    for key in pairs(span.attributes) do name = name or key end -- attributes are no plain table: `next` refuses them
    if name then problem(name, 'a span with ' .. name .. ' is not supported by the preview') end
  end,
  Image = function(image)
    only('an image', image.attributes, { ['fig-alt'] = true, width = true })
    local width = image.attributes.width
    if width and not width:match '^%d+%.?%d*%%$' then
      problem(width, 'the width ' .. width .. ' means different sizes on a page and on a screen: give it in percent')
    end
    local source = image.src:gsub('^/', '') -- pandoc runs in the project root
    local file = not source:match '%.%.' and io.open(source)
    if file then file:close() else problem(image.src, 'the figure ' .. image.src .. ' is not in the report') end
    pandoc.log.info(pandoc.json.encode { image = source })
    image.src = source
    return image
  end,
} }
