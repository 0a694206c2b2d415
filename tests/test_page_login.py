"""Passwords: each wrong one makes the next wait longer; cookies stay with this site."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from rag.page.login import Brake, SameSiteCookies
from tests.support import in_a_loop


async def gate(scope: Scope, receive: Receive, send: Send) -> None:
    """Gradio's answers: 400 to a wrong password, which stands in the query here."""
    right = scope["query_string"] == b"right"
    answer = PlainTextResponse("", 200 if right else 400)
    if right:
        answer.set_cookie("a", "1", samesite="none", secure=True, httponly=True)
        answer.set_cookie("b", "2", httponly=True)
    await answer(scope, receive, send)


async def tried(app: Any, password: str, address: str = "192.0.2.1", path: str = "/login") -> Any:
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": password.encode(),
        "headers": [],
        "client": (address, 1),
    }
    told: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        told.append(message)

    await app(scope, receive, send)
    return told[0]


def test_each_wrong_password_makes_the_next_wait_longer() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async def guess() -> None:
        app = Brake(gate, sleep)
        for _ in range(10):
            assert (await tried(app, "wrong"))["status"] == 400
        await tried(app, "wrong", address="192.0.2.2")
        await tried(app, "wrong", path="/gradio_api/queue/join")
        assert waited == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
        assert (await tried(app, "right"))["status"] == 200  # nobody is locked out
        await tried(app, "wrong")
        assert waited == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]

    in_a_loop(guess)


def test_many_tries_at_once_wait_for_each_other() -> None:
    at_work = 0

    async def sleep(seconds: float) -> None:
        nonlocal at_work
        at_work += 1
        await asyncio.sleep(0)
        assert at_work == 1
        at_work -= 1

    async def guess() -> None:
        app = Brake(gate, sleep)
        found = await asyncio.gather(*(tried(app, "wrong") for _ in range(12)))
        # Three are free, five wait, and for more there is no room.
        assert [one["status"] for one in found] == [400] * 8 + [429] * 4

    in_a_loop(guess)


def test_no_cookie_goes_along_with_what_another_site_asks() -> None:
    async def come_in() -> None:
        told = await tried(SameSiteCookies(gate), "right")
        cookies = [value.decode() for name, value in told["headers"] if name == b"set-cookie"]
        assert cookies == [
            "a=1; HttpOnly; Path=/; Secure; SameSite=Lax",
            "b=2; HttpOnly; Path=/; SameSite=Lax",
        ]

    in_a_loop(come_in)
