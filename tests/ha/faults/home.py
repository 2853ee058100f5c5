"""Faults of the home and its node."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import State
from homeassistant.setup import async_setup_component

from custom_components.clawd.gateway import (
    GatewayClient,
    NodeCall,
    NodeCallError,
    NodeHost,
    NodeTool,
    NotConnectedError,
    Payload,
    RequestFailedError,
    Transition,
)
from custom_components.clawd.gateway.commands import ToolCommands
from custom_components.clawd.gateway.node.calls import NodeCalls
from custom_components.clawd.gateway.node.models import CallHandler, OpenCall
from custom_components.clawd.home import (
    approval,
    calls as home_calls,
    cameras,
    looking,
    message_calls,
    node as home_node,
    service as home_service,
    voice_devices,
)
from custom_components.clawd.home.caller import Caller, async_identify
from custom_components.clawd.home.confirmation import Confirmations
from custom_components.clawd.home.origin import CallOrigin
from custom_components.clawd.home.sensitivity import Sensitive
from custom_components.clawd.home.service import HomeService, get_home
from custom_components.clawd.runtime.node import NodeRuntime
from custom_components.clawd.selftest.checks import (
    home_calls as home_call_checks,
    home_drills,
    home_policy,
)
from tests.simulator import Refusal

from ..fault_harness import Fault, FaultHarness, Inject, poll
from ..report_assertions import MEASURED, Expected
from .listeners import Twin

UPDATE = "node.pluginTools.update"
SESSION = "agent:main:ha-1"
LOCK = "lock.front_door"
SCRIPT = "script.good_night"
SATELLITE = "assist_satellite.hidden"
CAMERA = "camera.hidden"
SERVICE_RESTART = "1012"
ABNORMAL_CLOSURE = "1006"
TEMPLATES: list[dict[str, Any]] = [
    {
        "lock": [
            {
                "name": "Front door",
                "unique_id": "front",
                "state": "{{ 'locked' }}",
                "lock": [{"event": "done"}],
                "unlock": [{"event": "done"}],
            }
        ]
    }
]


def home_of(harness: FaultHarness) -> HomeService:
    """Return the home's service."""
    home = get_home(harness.entry)
    assert home is not None
    return home


def node_of(harness: FaultHarness) -> NodeRuntime:
    """Return the node."""
    node = harness.runtime.node
    assert node is not None
    return node


async def reconnect_node(harness: FaultHarness) -> None:
    """Drop the connection of the node, and wait for the next one."""
    await drop_node(harness)
    await node_of(harness).client.wait_connected()


async def drop_node(harness: FaultHarness) -> None:
    """Drop the connection of the node, and wait until it notices."""
    client = node_of(harness).client
    session = harness.gateway.nodes.sessions[client.device_id]
    session.connection.websocket.transport.abort()
    await poll(lambda: client.hello is None)


async def wait_published(harness: FaultHarness) -> None:
    """Wait until the Gateway has taken the tools."""
    node, nodes = node_of(harness), harness.gateway.nodes
    await node.client.wait_connected()
    for request in list(nodes.pending):
        nodes.approve(request)
    await poll(lambda: len(node.host.published) == len(node.host.wanted) > 0)


async def prepare(harness: FaultHarness) -> None:
    """Give the home a script, and wait until its tools are published."""
    hass = harness.hass
    for component in ("conversation", "intent", "llm"):
        await async_setup_component(hass, component, {})
    scripts = {"good_night": {"sequence": [{"event": "done"}]}}
    assert await async_setup_component(hass, "script", {"script": scripts})
    async_expose_entity(hass, "conversation", SCRIPT, should_expose=True)
    await hass.async_block_till_done()
    await home_of(harness).async_update_tools()
    await wait_published(harness)


async def add_lock(harness: FaultHarness) -> None:
    """Give the home a lock that is exposed."""
    hass = harness.hass
    assert await async_setup_component(hass, "lock", {})
    assert await async_setup_component(hass, "template", {"template": TEMPLATES})
    await hass.async_block_till_done()
    async_expose_entity(hass, "conversation", LOCK, should_expose=True)


async def old_gateway(harness: FaultHarness) -> None:
    """Let the Gateway be too old for tools of nodes."""

    def forget(hello: dict[str, Any]) -> None:
        hello["features"]["methods"].remove(UPDATE)

    harness.gateway.edit("hello-ok", forget)
    await harness.hass.config_entries.async_reload(harness.entry.entry_id)


async def node_not_started(harness: FaultHarness) -> None:
    """Let the key of the node not be readable."""

    async def fail(*_: object) -> None:
        raise OSError

    harness.monkeypatch.setattr(home_node, "async_get_node_credentials", fail)
    await harness.hass.config_entries.async_reload(harness.entry.entry_id)


async def unapproved_home(harness: FaultHarness) -> None:
    """Withdraw the approval of the home."""

    async def refuse(*_: object) -> None:
        raise NotConnectedError("no", code="UNREACHABLE")

    harness.monkeypatch.setattr(approval, "approve_node", refuse)
    harness.gateway.nodes.approved.clear()
    await reconnect_node(harness)


async def tools_not_taken(harness: FaultHarness) -> None:
    """Switch off the tools of nodes on the Gateway."""
    harness.gateway.nodes.enabled = False
    await reconnect_node(harness)
    await harness.gateway.wait_for_request(UPDATE)


async def refused_tools(harness: FaultHarness) -> None:
    """Let the Gateway find the list of tools invalid."""
    harness.gateway.refuse_method(UPDATE, 8)
    await reconnect_node(harness)
    await poll(lambda: bool(node_of(harness).host.publish_error))


async def node_refused(harness: FaultHarness) -> None:
    """Admit only the connection of the operator."""
    harness.gateway.refuse(Refusal.STARTING)
    await drop_node(harness)


async def hiding_profile(harness: FaultHarness) -> None:
    """Choose a tool profile that hides the tools of nodes."""
    harness.gateway.nodes.profile = "coding"


async def slow_home(harness: FaultHarness) -> None:
    """Let no call of the home be answered in time."""
    harness.monkeypatch.setattr(home_call_checks, "ROUND_TRIP_FAIL", 0.02)
    harness.gateway.hold("tools.invoke")


async def failing_calls(harness: FaultHarness) -> None:
    """Let each call of the home fail on its way."""

    async def fail(*_: object) -> None:
        raise RequestFailedError("no", code="internal_error")

    harness.monkeypatch.setattr(ToolCommands, "invoke", fail)


async def second_holder(harness: FaultHarness) -> None:
    """Use the key of the node in another connection."""
    harness.monkeypatch.setattr(NodeHost, "displaced", property(lambda _: True))


async def lost_call(harness: FaultHarness) -> None:
    """Forget a call without an outcome."""
    node_of(harness).host.statistics.issued += 1


async def overdue_call(harness: FaultHarness) -> None:
    """Serve a call past its deadline."""
    now = harness.hass.loop.time()
    calls = (OpenCall(now - 10),)
    harness.monkeypatch.setattr(NodeHost, "open_calls", property(lambda _: calls))
    node_of(harness).host.statistics.issued += 1


async def runaway(harness: FaultHarness) -> None:
    """Make the same call again and again."""
    home = home_of(harness)
    subentry = next(iter(harness.entry.subentries))
    with home.origins.run(SESSION, CallOrigin(subentry, "1", "en")):
        for number in range(4):
            await call(harness, number)


async def call(harness: FaultHarness, number: int) -> None:
    """Call a missing tool, which fails."""
    arguments: Payload = {"action": "HassTurnOn", "name": "Nothing"}
    node_call = NodeCall(f"{number}", "home_control", arguments, SESSION, 5.0)
    with suppress(NodeCallError):
        await home_of(harness).async_handle(node_call)


async def exposure_withdrawn(harness: FaultHarness) -> None:
    """Go on offering a script that is not exposed any more."""
    harness.monkeypatch.setattr(home_call_checks, "EXPOSURE_DELAY", 0.0)
    async_expose_entity(harness.hass, "conversation", SCRIPT, should_expose=False)


async def tool_without_access(harness: FaultHarness) -> None:
    """Offer a tool that no agent may call."""
    harness.monkeypatch.setattr(home_call_checks, "EXPOSURE_DELAY", 0.0)
    host = node_of(harness).host
    host.set_tools([*host.wanted, NodeTool("home_admin", "All.", {"type": "object"})])
    await poll(lambda: "home_admin" in host.published)


async def unlocked_without_question(harness: FaultHarness) -> None:
    """Find no sensitive targets in a call."""
    await add_lock(harness)
    harness.monkeypatch.setattr(home_calls, "find_sensitive", lambda *_: Sensitive())


async def lock_not_sensitive(harness: FaultHarness) -> None:
    """Find no lock sensitive, in a home without one."""
    harness.monkeypatch.setattr(home_policy, "find_sensitive", lambda *_: Sensitive())


async def agent_confirms(harness: FaultHarness) -> None:
    """Let an agent confirm instead of the user."""
    await add_lock(harness)
    harness.monkeypatch.setattr(Confirmations, "take", lambda *_: True)


async def call_without_session(harness: FaultHarness) -> None:
    """Let everybody in."""
    real: Any = async_identify
    agent = next(iter(harness.entry.subentries))
    with home_of(harness).origins.run(SESSION, CallOrigin(agent, "1", "en")):
        caller: Caller = await real(
            harness.hass,
            harness.entry,
            home_of(harness).origins,
            None,
            SESSION,
        )

    async def identify(*args: object) -> Caller:
        key = args[-1]
        if key is None or "group" in str(key):
            return caller
        identified: Caller = await real(*args)
        return identified

    harness.monkeypatch.setattr(home_calls, "async_identify", identify)


async def everything_is_done(harness: FaultHarness) -> None:
    """Carry out every call."""

    async def handle(*_: object, **__: object) -> str:
        return "done"

    harness.monkeypatch.setattr(home_service, "async_handle_call", handle)


async def hidden_speaker(harness: FaultHarness) -> None:
    """Offer to speak on a voice device that is not exposed any more."""
    harness.monkeypatch.setattr(home_call_checks, "EXPOSURE_DELAY", 0.0)
    harness.monkeypatch.setattr(
        voice_devices, "async_should_expose", lambda *args: args[-1] == SATELLITE
    )
    for satellite in ("assist_satellite.other", SATELLITE):
        harness.hass.states.async_set(satellite, "idle", {"supported_features": 1})
    await home_of(harness).async_update_tools()
    await poll(lambda: "home_announce" in node_of(harness).host.published)


async def announced_anywhere(harness: FaultHarness) -> None:
    """Speak on any voice device that is named."""
    device = voice_devices.VoiceDevice(
        SATELLITE, None, None, ("x",), 3, idle=True, telephone=False
    )
    harness.monkeypatch.setattr(
        message_calls, "resolve_voice_devices", lambda *_, **__: [device]
    )


async def hidden_camera(harness: FaultHarness) -> None:
    """Offer to look through a camera that is not exposed, beside one that is."""
    harness.monkeypatch.setattr(home_call_checks, "EXPOSURE_DELAY", 0.0)
    harness.monkeypatch.setattr(cameras, "async_should_expose", lambda *_: True)
    for camera in (CAMERA, "camera.other"):
        harness.hass.states.async_set(camera, "idle")
    async_expose_entity(
        harness.hass, "conversation", "camera.other", should_expose=True
    )
    await home_of(harness).async_update_tools()
    await poll(lambda: "home_look" in node_of(harness).host.published)


async def nothing_to_look_at(harness: FaultHarness) -> None:
    """Offer to look without a camera."""
    harness.monkeypatch.setattr(home_call_checks, "EXPOSURE_DELAY", 0.0)
    host = node_of(harness).host
    host.set_tools([*host.wanted, looking.LOOK_TOOL])
    await poll(lambda: "home_look" in host.published)


async def seen_anywhere(harness: FaultHarness) -> None:
    """Look through any camera that is named."""
    camera = State(CAMERA, "idle")
    harness.hass.states.async_set(CAMERA, "idle")
    harness.monkeypatch.setattr(looking, "resolve_camera", lambda *_: camera)


async def notified_by_anybody(harness: FaultHarness) -> None:
    """Show each notification of the Gateway."""

    async def show() -> dict[str, Any]:
        return {}

    async def prepare(*_: object) -> object:
        return show

    harness.monkeypatch.setattr(home_calls, "async_prepare_notification", prepare)


async def listener_of_the_node(harness: FaultHarness) -> None:
    """Register a listener to the node after the setup."""
    unsubscribe = node_of(harness).client.subscribe("tick", lambda _: None)
    harness.cleanup.callback(unsubscribe)


async def duplicate_listener_of_the_node(harness: FaultHarness) -> None:
    """Register two listeners to the node that become equal."""
    node, first, second = node_of(harness), Twin(), Twin()
    for twin in (first, second):
        harness.cleanup.callback(node.client.subscribe("tick", twin))
    first.equal = second.equal = True
    node.listener_baseline = {**node.listener_baseline, "tick": 2}


async def failing_listener_of_the_node(harness: FaultHarness) -> None:
    """Raise an exception in a listener to the node."""

    def fail(_: object) -> None:
        raise RuntimeError

    node = node_of(harness)
    session = harness.gateway.nodes.sessions[node.client.device_id]
    heard = asyncio.Event()
    for listener in (fail, lambda _: heard.set()):
        harness.cleanup.callback(node.client.subscribe("hello", listener))
    node.listener_baseline = {**node.listener_baseline, "hello": 2}
    session.connection.send({"type": "event", "event": "hello", "payload": {}})
    await heard.wait()


async def task_of_the_node(harness: FaultHarness) -> None:
    """Leave a task in the client of the node."""
    client = node_of(harness).client
    tasks = client.introspection._tasks  # noqa: SLF001 - nobody may inject one

    async def wait() -> None:
        await asyncio.Event().wait()

    task = tasks.spawn(wait(), "leak")
    harness.cleanup.callback(task.cancel)


async def timer_of_the_node(harness: FaultHarness) -> None:
    """Leave a timer of the node armed."""
    timer = harness.hass.loop.call_later(60, node_of(harness).client.resume)
    harness.cleanup.callback(timer.cancel)


async def failing_task_of_the_node(harness: FaultHarness) -> None:
    """Let a task of the node end with an exception."""

    async def fail() -> None:
        raise RuntimeError

    task = node_of(harness).client.spawn(fail(), "failing")
    await asyncio.wait([task])


async def miscounted_request_of_the_node(harness: FaultHarness) -> None:
    """Count a request of the node as completed that is still open."""
    node_of(harness).client.statistics.requests_completed += 1


async def undecodable_frame_of_the_node(harness: FaultHarness) -> None:
    """Send the node a frame that is none."""
    client = node_of(harness).client
    session = harness.gateway.nodes.sessions[client.device_id]
    await session.connection.websocket.send("{")
    await poll(lambda: client.statistics.invalid_frames > 0)


async def key_of_the_node_as_version(harness: FaultHarness) -> None:
    """Send the key of the node as the Gateway's version."""
    secret = node_of(harness).credentials.identity.secret

    def tell(hello: dict[str, Any]) -> None:
        hello["server"]["version"] = secret

    harness.gateway.edit("hello-ok", tell)
    await harness.reconnect()
    await wait_published(harness)


async def kept_client_of_the_node(harness: FaultHarness) -> None:
    """Keep each client of a node."""
    real: Any = NodeHost.__init__
    kept: list[GatewayClient] = []

    def init(
        host: NodeHost, client: GatewayClient, handler: CallHandler, *, prefix: str = ""
    ) -> None:
        kept.append(client)
        real(host, client, handler, prefix=prefix)

    harness.monkeypatch.setattr(NodeHost, "__init__", init)


async def listener_lost_at_a_restart(harness: FaultHarness) -> None:
    """Lose a listener to the node at a restart."""
    _unsubscribe_at(harness, SERVICE_RESTART)


async def listener_lost_at_a_cut(harness: FaultHarness) -> None:
    """Lose a listener to the node when its connection is cut."""
    _unsubscribe_at(harness, ABNORMAL_CLOSURE)


async def tools_lost_at_a_restart(harness: FaultHarness) -> None:
    """Offer the tools no more after a restart."""
    _at(harness, SERVICE_RESTART, lambda: _switch_off(harness))


async def tools_lost_at_a_cut(harness: FaultHarness) -> None:
    """Offer the tools no more after the connection was cut."""
    _at(harness, ABNORMAL_CLOSURE, lambda: _switch_off(harness))


async def call_that_goes_on(harness: FaultHarness) -> None:
    """Go on with a call when the connection is cut."""
    harness.monkeypatch.setattr(NodeCalls, "cancel_all", lambda _: None)
    harness.monkeypatch.setattr(home_drills, "FAIL_TIMEOUT", 0.2)


async def agent_that_waits(harness: FaultHarness) -> None:
    """Let the Gateway not tell an agent that its call has failed."""
    harness.monkeypatch.setattr(home_drills, "FAIL_TIMEOUT", 0.1)
    harness.monkeypatch.setattr(harness.gateway.nodes, "disconnect", lambda _: None)


def _switch_off(harness: FaultHarness) -> None:
    harness.gateway.nodes.enabled = False
    harness.monkeypatch.setattr(home_drills, "PUBLISH_TIMEOUT", 0.2)


def _unsubscribe_at(harness: FaultHarness, code: str) -> None:
    node = node_of(harness)
    unsubscribe = node.client.subscribe("tick", lambda _: None)
    _at(harness, code, unsubscribe)
    listeners = node.client.introspection.listeners
    node.listener_baseline = {name: len(found) for name, found in listeners.items()}


def _at(harness: FaultHarness, code: str, act: Callable[[], object]) -> None:
    """Do something when the connection of the node ends with a code."""
    node = node_of(harness)

    def ended(transition: Transition) -> None:
        if transition.error and transition.error.code == code:
            act()

    harness.cleanup.callback(node.client.subscribe_state(ended))
    listeners = node.client.introspection.listeners
    node.listener_baseline = {name: len(found) for name, found in listeners.items()}


def _home(
    inject: Inject,
    check: str,
    expected: Expected,
    status: str = "fail",
    mode: str = "active",
) -> Fault:
    """Return a fault of an entry with home access."""

    async def prepare_and_plant(harness: FaultHarness) -> None:
        await prepare(harness)
        await inject(harness)

    prepare_and_plant.__name__, prepare_and_plant.__doc__ = (
        inject.__name__,
        inject.__doc__,
    )
    return Fault(
        prepare_and_plant,
        check,
        expected,
        status,
        mode,
        protocols=(4,),
        settings={"home_access": "control"},
    )


def _drill(inject: Inject, check: str, expected: Expected) -> Fault:
    return _home(inject, check, expected, mode="drill")


def _of_node(*details: str) -> tuple[str, ...]:
    return ("node connection", *details)


ALL = "home_control, home_notify, home_state"

FAULTS = [
    _home(old_gateway, "home_method", Expected(0, {"version": "2026.9.6"}), "warn"),
    _home(node_not_started, "home_method", Expected(1, reason="home_not_started")),
    _home(
        unapproved_home,
        "home_approval",
        Expected("pending-approval", {"state": "pending-approval"}),
    ),
    _home(tools_not_taken, "home_published", Expected(3, {"names": ALL, "code": "-"})),
    _home(
        refused_tools,
        "home_published",
        Expected(3, {"names": ALL, "code": "INVALID_REQUEST"}),
    ),
    _home(
        node_refused,
        "home_published",
        Expected(3, {"code": "UNAVAILABLE"}, reason="home_disconnected"),
    ),
    _home(
        hiding_profile,
        "home_visible",
        Expected(3, {"names": ALL, "profile": "coding"}),
    ),
    _home(slow_home, "home_round_trip", Expected(20.0, {"median": 20, "longest": 20})),
    _home(
        failing_calls,
        "home_round_trip",
        Expected(
            "internal_error", {"code": "internal_error"}, reason="home_call_failed"
        ),
    ),
    _home(second_holder, "home_holder", Expected(1)),
    _home(lost_call, "home_calls", Expected(1, {"overdue": 0, "lost": 1})),
    _home(overdue_call, "home_calls", Expected(1, {"overdue": 1, "lost": 0})),
    _home(runaway, "home_limits", Expected(1, {"count": 1}), "warn"),
    _home(
        exposure_withdrawn,
        "home_exposure",
        Expected(1, {"offered": 1, "kinds": "script"}),
    ),
    _home(
        tool_without_access,
        "home_exposure",
        Expected(1, {"offered": 1, "kinds": "tool"}),
    ),
    _home(
        unlocked_without_question,
        "home_policy",
        Expected(
            2,
            {"cases": "unlock, unlock again"},
            ("unlock: DRY_RUN", "unlock again: DRY_RUN"),
        ),
    ),
    _home(
        lock_not_sensitive,
        "home_policy",
        Expected(1, {"cases": "unlock"}, ("unlock: allowed",)),
    ),
    _home(
        agent_confirms,
        "home_policy",
        Expected(
            2,
            {"cases": "unlock, unlock again"},
            ("unlock: DRY_RUN", "unlock again: DRY_RUN"),
        ),
    ),
    _home(
        call_without_session,
        "home_policy",
        Expected(
            2,
            {"cases": "no session, group"},
            ("no session: UNKNOWN_ACTION", "group: UNKNOWN_ACTION"),
        ),
    ),
    _home(
        everything_is_done,
        "home_policy",
        Expected(
            5,
            {"cases": "no session, group, announcement, look, notification"},
            (
                "no session: done",
                "group: done",
                "announcement: done",
                "look: done",
                "notification: done",
            ),
        ),
    ),
    _home(
        hidden_speaker,
        "home_exposure",
        Expected(1, {"offered": 1, "kinds": "assist_satellite"}),
    ),
    _home(
        hidden_camera,
        "home_exposure",
        Expected(1, {"offered": 1, "kinds": "camera"}),
    ),
    _home(
        nothing_to_look_at,
        "home_exposure",
        Expected(1, {"offered": 1, "kinds": "tool"}),
    ),
    _home(
        seen_anywhere,
        "home_policy",
        Expected(1, {"cases": "look"}, ("look: DRY_RUN",)),
    ),
    _home(
        announced_anywhere,
        "home_policy",
        Expected(1, {"cases": "announcement"}, ("announcement: DRY_RUN",)),
    ),
    _home(
        notified_by_anybody,
        "home_policy",
        Expected(1, {"cases": "notification"}, ("notification: DRY_RUN",)),
    ),
    _home(
        listener_of_the_node,
        "handler_baseline",
        Expected(1, {"names": "tick"}, _of_node()),
    ),
    _home(
        duplicate_listener_of_the_node,
        "handler_duplicates",
        Expected(1, {"names": "tick"}, _of_node()),
    ),
    _home(failing_listener_of_the_node, "handler_errors", Expected(1, {"count": 1})),
    _home(task_of_the_node, "task_inventory", Expected(1, {"names": "node: leak"})),
    _home(
        timer_of_the_node,
        "timer_registry",
        Expected(1, {"names": "GatewayClient.resume"}),
    ),
    _home(
        failing_task_of_the_node,
        "task_exceptions",
        Expected(1, {"count": 1, "names": "node failing"}),
    ),
    _home(
        miscounted_request_of_the_node,
        "pending_balance",
        Expected(1, {"held": 0, "issued": "#", "completed": "#"}, _of_node()),
    ),
    _home(
        undecodable_frame_of_the_node,
        "frames_decoded",
        Expected(1, {"count": 1, "repaired": 0, "frames": "#"}, None),
    ),
    _home(
        key_of_the_node_as_version,
        "redaction",
        Expected(3, {"names": "home_method, versions, hellos"}),
    ),
    _drill(kept_client_of_the_node, "instances", Expected(1, {"count": 1})),
    _drill(
        listener_lost_at_a_restart,
        "home_restart",
        Expected(MEASURED, {"code": 1012, "time": "#", "names": "tick"}),
    ),
    _drill(
        listener_lost_at_a_cut,
        "home_cut",
        Expected(MEASURED, {"code": 1006, "time": "#", "names": "tick"}),
    ),
    _drill(
        tools_lost_at_a_restart,
        "home_restart",
        Expected(MEASURED, {"names": ALL}, reason="home_tools_lost"),
    ),
    _drill(
        tools_lost_at_a_cut,
        "home_cut",
        Expected(MEASURED, {"names": ALL}, reason="home_tools_lost"),
    ),
    _drill(
        call_that_goes_on,
        "home_call_cut",
        Expected(
            MEASURED,
            {"time": "#"},
            ("the call goes on", "the call is counted as open"),
        ),
    ),
    _drill(
        agent_that_waits,
        "home_call_cut",
        Expected(MEASURED, {"time": "#"}, ("the agent waits",)),
    ),
]
