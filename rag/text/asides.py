"""Asides: sentences of a news page that tell nothing of the news.

Notes on the article itself ("Updated Nov. 1, 10:01 p.m."), its makers ("Reach the reporter at …"),
its other offers ("Here's what we know."). They stay in the article; no answer is made of them.
Rules for English.
"""

from __future__ import annotations

import re

_MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_ASIDE = re.compile(
    "|".join(
        f"(?:{pattern})"
        for pattern in (
            # The day and hour of the article, and nothing else.
            rf"^\W*(?:(?:updated|published|posted|first published|last updated)\W+)*{_MONTHS}\.?"
            r"\s+\d{1,2}\b[^a-z]{0,30}(?:[ap]\.?m\.?)?\W*(?:e[sd]?t|gmt|bst|utc)?\W*"
            r"(?:updated\b.{0,50})?$",
            r"^\W*(?:updated|published|posted|last updated|editor[’']?s note|correction"
            r"|contributing|photos?|image|watch|related|see also|read more|more on|listen)\b\s*:",
            r"^\W*(?:reporting|writing|editing|additional reporting|compiled)\s+by\b",
            r"^\W*(?:reach|contact|follow|email|e-mail|write to)\s"
            r".{0,80}(?:@|\bon\s+(?:x|twitter|facebook)\b|\b\d{3}[-.]\d{4}\b)",
            r"\S@\S+\.\w",
            r"^\W*(?:here(?:’s|'s| is| are)\s+(?:what|how|why|a look|where|when|everything"
            r"|the latest|some|our)|what (?:to|we) know|for (?:the latest|more)\b)",
            r"\b(?:has|have)\s+(?:also\s+)?reached out\b.{0,80}\bcomment\b",
            r"^\W*(?:sign up|subscribe|download the app|click here|scroll down)\b",
            r"\bsign up (?:here|for\b.{0,80}\bnewsletter)",
            r"^\W*(?:all rights reserved|copyright|©|advertisement|story continues)\b",
            r"^\W*(?:this (?:article|story|report)|the (?:article|story)) (?:was|has been|will be)"
            r"\b.{0,60}\b(?:updated|published|corrected|provided|produced|contributed)\b",
        )
    ),
    re.IGNORECASE,
)


def is_aside(sentence: str) -> bool:
    """Whether a sentence speaks of the page and not of the news."""
    return _ASIDE.search(sentence) is not None
