"""Retrieval: a question to the passages that bear on it, best first.

Modules in the order of the flow:
    candidates  what a search needs of a store
    terms     the words of a question, and how much of them a text holds
    hit       a passage found, with what its score is made of
    scoring   how well a chunk fits a question, in [0, 1]
    passages  neighbours joined, passages that repeat another listed with it
    told      where else a hit is told: the other articles of its story
    reranking  a cross-encoder, if one is wanted
    spelling  names of a question that the index does not know
    search    candidates, a close look, hits
"""

from __future__ import annotations

from rag.index.candidates import Candidates as Candidates
from rag.index.filter import Filter as Filter
from rag.retrieval.candidates import CandidateStore as CandidateStore
from rag.retrieval.hit import AlsoIn as AlsoIn
from rag.retrieval.hit import Found as Found
from rag.retrieval.hit import Hit as Hit
from rag.retrieval.hit import HitScores as HitScores
from rag.retrieval.hit import Retrieved as Retrieved
from rag.retrieval.scoring import combine as combine
from rag.retrieval.search import check_question as check_question
from rag.retrieval.search import retrieve as retrieve
from rag.retrieval.search import search as search
from rag.retrieval.search import whole_article as whole_article
from rag.retrieval.terms import QuestionTerms as QuestionTerms
