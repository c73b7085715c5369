"""What the article's section asserts, as predicates over results."""

from rethinking.results.claims import Claim

CLAIMS: list[Claim] = []
