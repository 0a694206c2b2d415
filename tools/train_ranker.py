"""Train the ranker of `rag.ranking`: which sentence of a passage answers a question?

    python tools/train_ranker.py --news NEWS --wiki WIKI --bbc BBC.jsonl --work SCRATCH \\
        [--minutes 60] [--init CHECKPOINT]

NEWS, WIKI: folders with `articles.jsonl`, WIKI with `questions.jsonl` too. The questions over news
are those of tools/data/ranker_questions.jsonl, written for this purpose without a look at any
evaluation set; articles that an evaluation question is about are not among them. All articles are
indexed with BM25 and hashed words (no embedding is needed), each question's best ten passages are
cut into runs of about 95 words, and the model learns to put its weight on a sentence that holds
the answer, or on none. Every ninth article of news and every fifth of WIKI is left out, and
measured in the end. Started from all-MiniLM-L6-v2; the word embeddings stay as they are.

The loss is listwise with a "none of these" of value 0 (as in SQuAD 2.0's null answer: Devlin et
al., BERT, NAACL 2019). Some questions get another year or another name and no answer.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn
from torch.nn.functional import normalize
from transformers import AutoModel, AutoTokenizer

from rag import Settings
from rag.ranking.minilm import FOLDER
from rag.ranking.passages import MAX_WORDS
from rag.retrieval import Found, retrieve
from rag.testing import FakeEmbedder, build_with, open_with

QUESTIONS = Path(__file__).parent / "data" / "ranker_questions.jsonl"
BASE = "all-MiniLM-L6-v2"
MAX_TOKENS = 176
N_PASSAGES = 3  # of a question in one step
N_QUESTIONS = 8  # in one step
RATE, WARM_UP = 1.5e-4, 100
CHANGED, DROPPED = 0.12, 0.1  # shares of questions that lose their answer
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*")
Row = dict[str, Any]


class Reader(nn.Module):
    """A BERT encoder and the head that `rag.ranking.minilm` computes."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.bert = AutoModel.from_pretrained(
            path,
            add_pooling_layer=False,
            attn_implementation="eager",  # quicker in bfloat16
            attention_probs_dropout_prob=0.0,  # half of a step's time
        )
        width = self.bert.config.hidden_size
        self.up, self.out = nn.Linear(2 * width, 128), nn.Linear(128, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.constant_(self.out.bias, -3.0)

    def forward(self, ids: Any, mask: Any, pool: Any) -> Any:
        states = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state
        scale = states.shape[-1] ** 0.5
        sentences = normalize(torch.bmm(pool, states), dim=-1) * scale
        whole = (states * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
        whole = (normalize(whole, dim=-1) * scale).unsqueeze(1).expand_as(sentences)
        return self.out(torch.tanh(self.up(torch.cat([sentences, whole], -1)))).squeeze(-1)


def lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def candidates(args: argparse.Namespace) -> list[Row]:
    """Every question with its ten best passages; a sentence's label is 1, 0, or -1 for unknown."""
    embedder = FakeEmbedder(dimension=256)
    asked: dict[str, list[Row]] = {"news": [], "rest": []}
    for row in lines(QUESTIONS):
        row["spans"] = [(row["start"], row["end"])] if "start" in row else []
        asked["news" if row["set"] == "news" else "rest"].append(row)
    for row in random.Random(1).sample(lines(args.wiki / "questions.jsonl"), args.n_wiki):
        spans = [(answer["start"], answer["end"]) for answer in row["answers"]]
        asked["rest"].append({**row, "set": "wiki", "spans": spans})
    sources = {
        "news": [args.news / "articles.jsonl"],
        "rest": [args.wiki / "articles.jsonl", args.bbc],
    }
    made: list[Row] = []
    for name, questions in asked.items():
        folder = args.work / "indexes" / name
        folder.mkdir(parents=True, exist_ok=True)
        paths = ", ".join(json.dumps(str(path.resolve())) for path in sources[name])
        (folder / "index.toml").write_text(f"sources = [{paths}]\n", encoding="utf-8")
        build_with(folder.parent, name, embedder)
        with open_with(folder.parent, name, embedder) as rag:
            raw = {row["id"]: row["text"] for path in sources[name] for row in lines(path)}
            for at in range(0, len(questions), 64):
                batch = questions[at : at + 64]
                texts = [row["question"] for row in batch]
                found = retrieve(rag.index, embedder, texts, k=10)
                made += [
                    with_hits(row, one, raw, rag) for row, one in zip(batch, found, strict=True)
                ]
    return made


def with_hits(row: Row, found: Found, raw: dict[str, str], rag: Any) -> Row:
    own = raw.get(str(row.get("article_id")), "")
    answers = {own[start:end].lower() for start, end in row["spans"]}
    gold = []
    article = rag.article(row["article_id"]) if row["spans"] else None
    for start, end in row["spans"]:
        # Offsets are those of the file; cleaning may have moved the text.
        around = own[max(0, start - 30) : end + 30]
        place = article.text.find(around) if article else -1
        if place >= 0:
            gold.append((place + start - max(0, start - 30), place + end - max(0, start - 30)))
    passages = []
    for item in found.passages:
        text = item.article.text
        spans = item.chunk.sentences.tolist()
        labels = [
            1
            if item.hit.article_id == row.get("article_id")
            and any(start < last and first < end for first, last in gold)
            else -1
            if any(answer in text[start:end].lower() for answer in answers)
            else 0
            for start, end in spans
        ]
        day = f" ({item.article.published})" if item.article.published else ""
        passages.append(
            {
                "heading": f"{item.article.title}{day}".strip(),
                "texts": [text[start:end] for start, end in spans],
                "labels": labels,
                "fits": (item.sentence_cosines + item.sentence_words).tolist(),
            }
        )
    return {key: row.get(key) for key in ("question", "set", "article_id", "id")} | {
        "passages": passages
    }


def held_out(row: Row) -> bool:
    key = str(row["article_id"] or row["id"]).encode()
    return zlib.crc32(key) % (5 if row["set"] == "wiki" else 9) == 0


def run_of(passage: Row, chance: random.Random) -> Row:
    """About 95 words of a passage: around an answer if it holds one, else around what fits best."""
    n_words = [len(text.split()) for text in passage["texts"]]
    right = [at for at, label in enumerate(passage["labels"]) if label == 1]
    best = range(len(n_words))
    first = (
        chance.choice(right)
        if right
        else max(best, key=lambda at: passage["fits"][at] + 0.3 * chance.random())
    )
    last, total = first, n_words[first]
    while True:
        left = first > 0 and total + n_words[first - 1] <= MAX_WORDS
        right_too = last + 1 < len(n_words) and total + n_words[last + 1] <= MAX_WORDS
        if not left and not right_too:
            break
        if left and (not right_too or chance.random() < 0.5):
            first -= 1
            total += n_words[first]
        else:
            last += 1
            total += n_words[last]
    part = slice(first, last + 1)
    return {**passage, "texts": passage["texts"][part], "labels": passage["labels"][part]}


def examples(rows: list[Row], chance: random.Random) -> Iterator[tuple[str, list[Row]]]:
    """Questions with passages to learn from, for ever."""
    names = [match.group() for row in rows for match in _NAME.finditer(row["question"])]
    while True:
        for row in chance.sample(rows, len(rows)):
            right = [p for p in row["passages"] if 1 in p["labels"]][:2]
            others = [p for p in row["passages"] if 1 not in p["labels"]]
            chosen = [chance.choice(right)] if right and chance.random() >= DROPPED else []
            while others and len(chosen) < N_PASSAGES:
                weights = [1 / (rank + 1.5) for rank in range(len(others))]
                at = chance.choices(range(len(others)), weights)[0]
                chosen.append(others.pop(at))
            question = row["question"]
            runs = [run_of(passage, chance) for passage in chosen]
            changed = other_question(question, names, chance) if chance.random() < CHANGED else None
            if changed:
                question = changed
                runs = [{**run, "labels": [0] * len(run["labels"])} for run in runs]
            if runs:
                yield question, runs


def other_question(question: str, names: list[str], chance: random.Random) -> str | None:
    """The question with another year or another name: what answered it answers this no more."""
    if (year := _YEAR.search(question)) and chance.random() < 0.7:
        moved = str(int(year.group()) + chance.choice([-4, -3, -2, -1, 1, 2, 3, 5]))
        return question[: year.start()] + moved + question[year.end() :]
    found = list(_NAME.finditer(question))
    other = chance.choice(names)
    if not found or other.lower() in question.lower():
        return None
    match = chance.choice(found)
    return question[: match.start()] + other + question[match.end() :]


def encoded(
    tokenizer: Any, question: str, run: Row
) -> tuple[list[int], list[tuple[int, int] | None]]:
    """Token ids, and for each sentence its tokens [first, last)."""
    heading = f"{run['heading']}. " if run["heading"] else ""
    text, ends = f"{question} [SEP] {heading}", []
    for sentence in run["texts"]:
        ends.append((len(text), len(text) + len(sentence)))
        text += sentence + " "
    made = tokenizer(
        text.rstrip(), truncation=True, max_length=MAX_TOKENS, return_offsets_mapping=True
    )
    spans: list[tuple[int, int] | None] = []
    for start, end in ends:
        held = [
            at
            for at, (a, b) in enumerate(made["offset_mapping"])
            if a < end and b > start and b > a
        ]
        spans.append((held[0], held[-1] + 1) if held else None)
    return made["input_ids"], spans


def batched(
    items: Sequence[tuple[list[int], list[tuple[int, int] | None]]],
) -> tuple[Any, Any, Any]:
    length, most = max(len(ids) for ids, _ in items), max(len(spans) for _, spans in items)
    ids = torch.zeros(len(items), length, dtype=torch.long)
    mask, pool = torch.zeros(len(items), length), torch.zeros(len(items), most, length)
    for row, (own, spans) in enumerate(items):
        ids[row, : len(own)] = torch.tensor(own)
        mask[row, : len(own)] = 1
        for at, span in enumerate(spans):
            if span:
                pool[row, at, span[0] : span[1]] = 1 / (span[1] - span[0])
    return ids, mask, pool


def loss_of(logits: Any, items: Sequence[Any], groups: Sequence[Sequence[Row]]) -> Any:
    total, row = torch.zeros(()), 0
    for runs in groups:
        values, labels = [], []
        for run in runs:
            for at, label in enumerate(run["labels"]):
                if label >= 0 and items[row][1][at]:
                    values.append(logits[row, at])
                    labels.append(label)
            row += 1
        if values:
            stacked, right = torch.stack(values), torch.tensor(labels) == 1
            everything = torch.logsumexp(torch.cat([stacked, torch.zeros(1)]), 0)
            target = torch.logsumexp(stacked[right], 0) if right.any() else torch.zeros(())
            total = total + everything - target
    return total / len(groups)


def train(rows: list[Row], model: Reader, tokenizer: Any, args: argparse.Namespace) -> None:
    for parameter in model.bert.embeddings.parameters():
        parameter.requires_grad = False
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=RATE, weight_decay=0.01)
    source = examples(rows, random.Random(0))
    model.train()
    started, step, mean = time.time(), 0, None
    while (done := (time.time() - started) / 60 / args.minutes) < 1:
        batch = [next(source) for _ in range(N_QUESTIONS)]
        items = [encoded(tokenizer, question, run) for question, runs in batch for run in runs]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(*batched(items))
        loss = loss_of(logits.float(), items, [runs for _, runs in batch])
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, step / WARM_UP) * (1 - done)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        step += 1
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if step % 25 == 0:
            print(f"{step} steps, {done:.0%}, loss {mean:.3f}", flush=True)
        if step % 100 == 0:
            torch.save(model.state_dict(), args.work / "checkpoint.pt")
    torch.save(model.state_dict(), args.work / "checkpoint.pt")


def measure(rows: list[Row], model: Reader, tokenizer: Any) -> None:
    """How often the best sentences of the held-out questions' passages hold the answer."""
    model.eval()
    ranks: dict[str, list[int]] = {}
    for row in rows:
        if not any(1 in passage["labels"] for passage in row["passages"]):
            continue
        scored: list[tuple[float, int]] = []
        for passage in row["passages"]:
            item = encoded(tokenizer, row["question"], passage)
            with torch.inference_mode():
                values = model(*batched([item]))[0].tolist()
            scored += [
                (v, y)
                for v, y, span in zip(values, passage["labels"], item[1], strict=False)
                if span
            ]
        order = [label for _, label in sorted(scored, reverse=True)]
        ranks.setdefault(row["set"], []).append(order.index(1) if 1 in order else 999)
    for name, found in ranks.items():
        shares = {n: round(float(np.mean([rank < n for rank in found])), 3) for n in (1, 3, 5, 8)}
        print(
            f"{name}: {len(found)} questions held out, best n sentences hold the answer: {shares}"
        )


def write_model(model: Reader, base: Path, folder: Path) -> None:
    """The folder that `rag.ranking.minilm` reads: matrices as int8 with a scale a row."""
    arrays: dict[str, Any] = {}
    for name, tensor in model.bert.state_dict().items():
        array = tensor.numpy().astype(np.float32)
        if array.ndim == 2:
            scale = np.maximum(np.abs(array).max(axis=1), 1e-12) / 127
            arrays[name] = np.rint(array / scale[:, None]).astype(np.int8)
            arrays[f"{name}.scale"] = scale.astype(np.float32)
        elif array.ndim == 1 and tensor.is_floating_point():
            arrays[name] = array
    folder.mkdir(parents=True, exist_ok=True)
    save_file(arrays, folder / "model.safetensors")
    head = {f"{part}.{kind}": getattr(getattr(model, part), kind).detach().numpy()
            for part in ("up", "out") for kind in ("weight", "bias")}  # fmt: skip
    save_file(head, folder / "head.safetensors")
    for name in ("config.json", "modules.json", "sentence_bert_config.json", "tokenizer.json"):
        shutil.copy(base / name, folder / name)
    (folder / "1_Pooling").mkdir(exist_ok=True)
    shutil.copy(base / "1_Pooling" / "config.json", folder / "1_Pooling" / "config.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--news", type=Path, required=True)
    parser.add_argument("--wiki", type=Path, required=True)
    parser.add_argument("--bbc", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--n-wiki", type=int, default=1500)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--init", type=Path, help="go on from this checkpoint")
    parser.add_argument("--output", type=Path, default=FOLDER)
    args = parser.parse_args()
    torch.manual_seed(0)
    random.seed(0)
    settings = Settings()
    torch.set_num_threads(settings.threads)
    base = settings.models_dir / BASE
    rows = [row for row in candidates(args) if row["passages"]]
    model, tokenizer = Reader(base), AutoTokenizer.from_pretrained(base)
    if args.init:
        model.load_state_dict(torch.load(args.init))
    train([row for row in rows if not held_out(row)], model, tokenizer, args)
    measure([row for row in rows if held_out(row)], model, tokenizer)
    write_model(model, base, args.output)


if __name__ == "__main__":
    main()
