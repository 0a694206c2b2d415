"""Sentences that speak to a machine rather than to readers: no evidence for anything.

Scraped articles may carry text that is meant to steer a language model. Such a sentence stays in
the article and can be read there; it reaches neither the prompt nor an answer. English rules, tried
on 2,269 real articles, of which they take no sentence.
"""

from __future__ import annotations

import re

_WHOM = (
    r"(?:AIs?|A\.I\.|language models?|LLMs?|GPT\S*|ChatGPT|chat ?bots?|assistants?|crawlers?|bots?)"
)
_WHAT = (
    r"(?:instructions?|questions?|prompts?|rules|context|guidelines|passages?|directions|commands?"
    r"|articles?|text|sources?|documents?|conversation)"
)
_ORDER = (
    r"(?:answer|respond|reply|output|print|repeat|echo|say|write|return|translate|begin your"
    r"|start your|end your)"
)
_PATTERNS = (
    # Tokens of chat templates, and headings that look like turns.
    r"<\|[^|<>]{1,40}\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>",
    r"</?(?:system|user|assistant|instructions?|tool_call|think)>",
    r"^\W*(?:#+\s*)?(?:system|assistant|user|human|instructions?|AI|answer)\s*"
    r"(?:prompt|message|override|note)?\s*:",
    # Ignore all previous instructions.
    rf"\b(?:ignore|disregard|override|discard|bypass|skip)\b[^.!?]{{0,40}}"
    rf"\b(?:previous|prior|above|all|earlier|these|those|the|your|any|every|other)\b[^.!?]{{0,30}}"
    rf"\b{_WHAT}\b",
    rf"\bforget\s+(?:all|about|everything|your|any|the|previous)\b[^.!?]{{0,40}}\b{_WHAT}\b",
    # You are an AI. To all language models: you must …
    rf"\b(?:you are|you’re|you're|act as|pretend to be|behave as|role-?play as)\b[^.!?]{{0,30}}"
    rf"\b{_WHOM}\b",
    rf"\b(?:to|for|dear|hey|attention|note to|notice to)[,:]?\s+"
    rf"(?:the |all |any |every |an? |our )?(?:\w+ )?{_WHOM}\b[^.!?]{{0,60}}"
    r"\b(?:must|should|shall|reading|read|please|reply|answer|say|write|respond|output|ignore"
    r"|follow|summari[sz]\w+)\b",
    rf"\b(?:if|when|whenever) you(?: are|’re|'re)? (?:an? )?(?:\w+ )?{_WHOM}\b",
    r"\bas an? (?:AI|LLM|(?:large )?language model)\b",
    r"\b(?:system (?:prompt|message|override)|(?:new|hidden) instructions?|developer mode|jailbreak"
    r"|prompt injection)\b\s*[:!]",
    # Answer only with … Do not cite …
    rf"^\W*(?:please |now |instead,? |then |always |only |just |simply )*{_ORDER}(?:\s+|:\s*)"
    r"(?:only|exactly|with|this|that|the (?:following|words?|phrase|sentence)|back"
    r"|in (?:capitals|French|German|JSON)|nothing|just|every|all|[:“\"'‘]|your)",
    r"^\W*(?:do not|don’t|don't|never|you (?:must|should)(?: not)?|you shall)\b[^.!?]{0,30}"
    r"\b(?:mention|reveal|cite|answer|tell the user|use the (?:other )?(?:passages|sources)|quote"
    r"|respond|reply|say|write|output|summari[sz]e)\b",
    r"\b(?:your|the) (?:answer|reply|response|output|summary|completion)"
    r" (?:must|should|shall|has to|is to)\b",
    r"\b(?:tell|inform|warn|show|ask|send) the (?:user|reader of this answer|person asking)\b",
    r"\b(?:the correct|the only correct|the right|the expected) (?:answer|reply|response)\b"
    r"[^.!?]{0,40}\bto (?:any|every|all|this|the) questions?\b",
)
_TO_A_MACHINE = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS), re.IGNORECASE)


def speaks_to_a_machine(sentence: str) -> bool:
    """Whether a sentence is an instruction to a language model."""
    return _TO_A_MACHINE.search(sentence) is not None
