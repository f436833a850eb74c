"""The sockets in virtual time: two sides, several keys, a server that keeps quotas, and any order of events."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

import looptime
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector.dialects.dome import Dome
from connector.errors import ProviderRefused
from connector.packing import Quota
from connector.session import Limits
from connector.sockets import SideConfig, Sockets
from connector.websocket import Disconnected
from tests.support.scripted import END, Listener

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

WALLETS = [f"w{n}" for n in range(12)]
QUOTA = Quota(2, 2)


class ServerSocket:
    """A connection of a server that acknowledges after a while and refuses what breaks the quota."""

    def __init__(self, server: Server, url: str) -> None:
        self.server = server
        self.url = url
        self.date: str | None = None
        self.served: dict[str, list[str]] = {}
        self.frames: list[dict[str, Any]] = []
        self.incoming: asyncio.Queue[object] = asyncio.Queue()
        self.open = True

    async def recv(self) -> bytes:
        """Return the next frame."""
        frame = await self.incoming.get()
        if frame is END:
            self.incoming.put_nowait(END)
            raise Disconnected("cut")
        return json.dumps(frame).encode()

    async def send(self, frame: str) -> None:
        """Carry out a request."""
        request = json.loads(frame)
        self.frames.append(request)
        if request["action"] == "unsubscribe":
            self.served.pop(request["subscription_id"], None)
            return
        wallets = request["filters"]["users"]
        subscription_id = request.get("subscription_id") or f"sub_{next(self.server.ids)}"
        if self.server.refusals:
            self.server.refusals -= 1
            self.later({"type": "error", "code": "INVALID_FILTERS", "message": "no"})
            return
        self.served[subscription_id] = wallets
        assert len(self.served) <= QUOTA.subscriptions
        assert len(wallets) <= QUOTA.wallets_each
        self.later({"type": "ack", "subscription_id": subscription_id})

    def later(self, frame: object) -> None:
        """Let a frame arrive after the latency."""
        asyncio.get_running_loop().call_later(self.server.latency, self.incoming.put_nowait, frame)

    async def ping(self) -> Awaitable[float]:
        """Answer after the latency."""
        pong: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(self.server.latency, pong.set_result, 0.0)
        return pong

    async def close(self) -> None:
        """End the connection, from either side."""
        self.open = False
        self.served.clear()
        self.incoming.put_nowait(END)


class Server:
    """Accepts connections of every key."""

    def __init__(self) -> None:
        self.ids = iter(range(10**6))
        self.latency = 0.1
        self.refusals = 0
        """Requests to be refused from now on."""
        self.blocked: set[str] = set()
        """URLs whose key is refused."""
        self.sockets: list[ServerSocket] = []

    @asynccontextmanager
    async def connect(self, side: SideConfig, url: str) -> AsyncIterator[ServerSocket]:
        """Accept a connection."""
        if url in self.blocked:
            raise ProviderRefused("check API_KEY")
        self.sockets.append(socket := ServerSocket(self, url))
        yield socket
        socket.open = False

    def served(self, side: str) -> list[str]:
        """Return the wallets of a side that are served."""
        return sorted(
            wallet
            for socket in self.sockets
            if socket.open and socket.url.startswith(side)
            for group in socket.served.values()
            for wallet in group
        )


def side(name: str, keys: int, **kwargs: Any) -> SideConfig:
    """Return a side with keys named like `primary-key0`."""
    return SideConfig(
        name=name,
        provider="dome",
        dialect=Dome(),
        url=f"{name}/{{key}}",
        keys=tuple(f"{name}-key{n}" for n in range(keys)),
        quota=QUOTA,
        limits=Limits(),
        **kwargs,
    )


class World:
    """Sockets of one side with two keys and a mirror with one, a server, and a listener."""

    def __init__(self, *sides: SideConfig) -> None:
        self.server, self.listener = Server(), Listener()
        self.sides = sides or (side("primary", 2), side("mirror", 1, patience=float("inf")))
        self.sockets = Sockets(self.sides, self.listener, self.listener, opener=self.server.connect)

    async def __aenter__(self) -> Self:
        self.running = asyncio.create_task(self.sockets.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.sockets.stop()
        await self.running

    def in_force(self, name: str) -> list[str]:
        """Return the wallets of a side that the listener was told to be live."""
        return sorted(w for socket, ws in self.listener.in_force.items() if socket.startswith(name) for w in ws)


@pytest.mark.looptime
async def test_every_side_gets_every_wallet_for_which_it_has_room() -> None:
    """8 places on the primary, 4 on the mirror, which reports nothing of its own."""
    async with World() as world:
        assert world.sockets.names == ("primary-0", "primary-1", "mirror-0")
        assert world.sockets.watch(WALLETS[:9]) == ["w8"]
        await asyncio.sleep(1.0)
        assert world.in_force("primary") == WALLETS[:8]
        assert world.in_force("mirror") == WALLETS[:4]
        assert world.sockets.concerned(("primary-1", 1, "")) == tuple(WALLETS[4:8])
        assert world.sockets.watch(WALLETS[1:9]) == []
        await asyncio.sleep(1.0)
        assert world.in_force("primary") == sorted(WALLETS[1:9])
        assert len(world.server.sockets) == 3


@pytest.mark.looptime
async def test_a_change_reaches_the_wire_at_once_and_concerns_nobody_else() -> None:
    """One update on one connection; live after one round trip, without a word about the others."""
    async with World() as world:
        world.sockets.watch(WALLETS[:3])
        await asyncio.sleep(1.0)
        before = len(world.listener.news)
        world.sockets.watch(WALLETS[:4])
        await asyncio.sleep(0.11)
        news = sorted(world.listener.news[before:])
        assert news == [("live", "mirror-0", "w3", 1.1), ("live", "primary-0", "w3", 1.1)]
        assert [len(socket.frames) for socket in world.server.sockets] == [3, 3]


@pytest.mark.looptime
async def test_a_key_without_wallets_keeps_no_connection() -> None:
    """The second key connects for the fifth wallet, and closes when that goes."""
    async with World(side("primary", 2)) as world:
        await asyncio.sleep(1.0)
        assert world.server.sockets == []
        for count, connected in ((4, 1), (5, 2), (4, 1), (0, 0)):
            world.sockets.watch(WALLETS[:count])
            await asyncio.sleep(1.0)
            assert sum(socket.open for socket in world.server.sockets) == connected
        assert len(world.server.sockets) == 2


@pytest.mark.looptime
async def test_a_primary_key_that_never_worked_ends_all() -> None:
    """It is a fault of the settings."""
    world = World()
    world.server.blocked.add("primary/primary-key1")
    world.sockets.watch(WALLETS)
    with pytest.raises(ExceptionGroup) as caught:
        await world.sockets.run()
    assert caught.group_contains(ProviderRefused)


@pytest.mark.looptime
async def test_the_primary_goes_on_when_the_mirrors_key_expires() -> None:
    """The mirror tries again for ever; its wallets are lost on its socket only."""
    async with World() as world:
        world.sockets.watch(WALLETS[:1])
        await asyncio.sleep(1.0)
        world.server.blocked.add("mirror/mirror-key0")
        await world.server.sockets[1].close()
        await asyncio.sleep(600.0)
        assert (world.in_force("primary"), world.in_force("mirror")) == (["w0"], [])
        assert not world.running.done()
        world.server.blocked.clear()
        await asyncio.sleep(31.0)
        assert world.in_force("mirror") == ["w0"]


@pytest.mark.looptime
@pytest.mark.parametrize("seconds", [0.0, 0.05, 1.0])
async def test_stop_ends_run_whatever_is_going_on(seconds: float) -> None:
    """Before the first connection, during the handshake, and with everything live."""
    async with World() as world:
        world.sockets.watch(WALLETS)
        await asyncio.sleep(seconds)
    assert not any(world.listener.in_force.values())


def test_a_side_shows_no_key() -> None:
    """Neither in its own words nor in an error's."""
    assert "key0" not in repr(side("primary", 1, backoff_cap=1.0))


ACTIONS = st.one_of(
    st.tuples(st.just("watch"), st.sets(st.sampled_from(WALLETS))),
    st.tuples(st.just("cut"), st.integers(0, 2)),
    st.tuples(st.just("refuse"), st.integers(1, 3)),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.05, 0.15, 1.0, 30.0, 70.0])),
)


async def act(world: World, name: str, value: Any) -> None:
    """Let something happen."""
    if name == "watch":
        world.sockets.watch(value)
    elif name == "refuse":
        world.server.refusals = value
    elif name == "wait":
        await asyncio.sleep(value)
    elif open_sockets := [socket for socket in world.server.sockets if socket.open]:
        await open_sockets[value % len(open_sockets)].close()


def in_virtual_time(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario in a loop of its own, whose clock jumps."""
    loop = looptime.new_event_loop(idle_timeout=None)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(_awaited(scenario))


async def _awaited(scenario: Callable[[], Awaitable[None]]) -> None:
    await scenario()


@example([("watch", {"w2"}), ("wait", 0.05), ("watch", {"w0"})], {"w0", "w1", "w2"})
@given(st.lists(ACTIONS, max_size=12), st.sets(st.sampled_from(WALLETS)))
@settings(deadline=None, max_examples=25)
def test_after_a_while_of_quiet_what_is_wanted_is_in_force(actions: list[tuple[str, Any]], wanted: set[str]) -> None:
    """
    Whatever came before: wishes, cuts and refusals in any order and at any moment.

    The listener demands that live and lost come in turns, the server that no quota is broken.
    """

    async def scenario() -> None:
        async with World() as world:
            for name, value in actions:
                await act(world, name, value)
            world.server.refusals = 0
            left_out = world.sockets.watch(wanted)
            await asyncio.sleep(130.0)
            assert len(left_out) == max(len(wanted) - 8, 0)
            placed = sorted(wanted.difference(left_out))
            assert world.in_force("primary") == world.server.served("primary") == placed
            mirrored = world.in_force("mirror")
            assert mirrored == world.server.served("mirror")
            assert len(mirrored) == min(len(wanted), 4)
            assert wanted.issuperset(mirrored)

    random.seed(0)
    in_virtual_time(scenario)
