"""Tests of probing, agents, models and pairing."""

import pytest

from custom_components.clawd.gateway import (
    AgentRunError,
    ClientInfo,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    InvalidTokenError,
    MissingScopeError,
    PairingRequiredError,
    RequestFailedError,
    RunRequest,
    ToolCall,
    ToolResult,
    probe_endpoint,
    read_setup_link,
)
from tests.simulator import Reply

from .cases import ECHO, ECHO_TOOL
from .clients import TIMING, client_at, let_answer, new_client
from .gateway_harness import GatewayHarness
from .test_connection import REMOTE_HEADERS


def credentials_with(**given: str) -> Credentials:
    """Return credentials of a new device."""
    credentials = Credentials(DeviceIdentity.generate(), ClientInfo("0.1.0"))
    for name, value in given.items():
        setattr(credentials, name, value)
    return credentials


async def test_probe_identifies_gateway_without_credentials(
    harness: GatewayHarness,
) -> None:
    peer = await probe_endpoint(Endpoint("127.0.0.1", harness.port), TIMING)
    assert (peer.address, peer.fingerprint) == ("127.0.0.1", None)


@pytest.mark.parametrize("path", ["/", "/openclaw", "/chat"])
async def test_endpoint_path_is_ignored(harness: GatewayHarness, path: str) -> None:
    endpoint = Endpoint("127.0.0.1", harness.port, path=path)
    await client_at(endpoint, credentials_with(token=harness.token)).fetch_info()


@pytest.mark.slow
async def test_gateway_id_is_stable_across_restarts(harness: GatewayHarness) -> None:
    first = await new_client(harness).fetch_info()
    await harness.stop()
    await harness.start()
    assert (await new_client(harness).fetch_info()).gateway_id == first.gateway_id
    assert len(bytes.fromhex(first.gateway_id.rpartition(":")[2])) == 32


async def test_agents_and_models_are_listed(
    harness: GatewayHarness, client: GatewayClient
) -> None:
    agents = await client.agents.list()
    models = {model.ref: model for model in await client.models.list()}
    assert agents.default == "main"
    chef = agents.get("kitchen")
    assert chef
    assert chef.name == "Chef"
    thinker = models["mock/thinker"]
    assert thinker.available
    level_ids = tuple(level.id for level in thinker.thinking_levels)
    assert level_ids == tuple(level.id for level in chef.thinking_levels)
    assert set(level_ids) >= {"off", "low", "high"}
    assert chef.model == (thinker.ref if harness.protocol == 4 else None)


async def test_session_model_can_be_changed(
    client: GatewayClient, session_key: str
) -> None:
    assert client.hello
    if client.hello.can_choose_model:
        await client.sessions.patch(session_key, model="mock/thinker")
        await client.sessions.patch(session_key, model=None)
    else:
        with pytest.raises(MissingScopeError):
            await client.sessions.patch(session_key, model="mock/thinker")


@pytest.mark.parametrize("protocol", [4], indirect=True)
async def test_unknown_agent_is_refused(client: GatewayClient) -> None:
    with pytest.raises(RequestFailedError):
        await client.start_run(RunRequest("say Hello.", "agent:nobody:e2e"))


@pytest.mark.parametrize("protocol", [4], indirect=True)
async def test_unsupported_thinking_level_fails_run(
    client: GatewayClient, session_key: str
) -> None:
    run = await client.start_run(RunRequest("say Hello.", session_key, thinking="high"))
    with pytest.raises(AgentRunError) as caught:
        await run.result()
    assert caught.value.code == "UNAVAILABLE"


async def test_thinking_level_is_accepted(
    harness: GatewayHarness, client: GatewayClient
) -> None:
    await let_answer(client, "kitchen")
    harness.set_script(Reply("Hello."))
    run = await client.start_run(
        RunRequest("say Hello.", "agent:kitchen:e2e", thinking="low")
    )
    assert (await run.result()).text == "Hello."


@pytest.mark.parametrize("protocol", [4], indirect=True)
async def test_tool_calls_and_results_are_reported(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    harness.set_script(Reply("Let me look."), ECHO_TOOL, Reply("It is done."))
    run = await client.start_run(
        RunRequest(
            f"say Let me look. | {ECHO} | say It is done.",
            session_key,
            include_tools=True,
        )
    )
    parts = [part async for part in run.parts()]
    texts = [part for part in parts if isinstance(part, str)]
    call, result = (part for part in parts if isinstance(part, ToolCall | ToolResult))
    assert "".join(texts) == "Let me look.\n\nIt is done."
    assert call == ToolCall(call.id, "exec", {"command": "echo marmalade"})
    assert isinstance(result, ToolResult)
    assert (result.id, result.is_error) == (call.id, False)
    assert "".join(map(str, parts[: parts.index(call)])) == "Let me look."


async def test_the_answer_is_told_from_the_text_before_a_tool(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    harness.set_script(Reply("Let me look."), ECHO_TOOL, Reply("It is done."))
    message = f"say Let me look. | {ECHO} | say It is done."
    run = await client.start_run(
        RunRequest(message, session_key, include_segments=True)
    )
    parts = [part async for part in run.parts()]
    ends = [part for part in parts if not isinstance(part, str)]
    assert ends
    first, last = parts.index(ends[0]), len(parts) - parts[::-1].index(ends[-1])
    assert "".join(map(str, parts[:first])) == "Let me look."
    assert "".join(map(str, parts[last:])).strip() == "It is done."


async def test_password_is_accepted_in_password_mode(
    password_harness: GatewayHarness,
) -> None:
    endpoint = Endpoint("127.0.0.1", password_harness.port)
    credentials = credentials_with(password=password_harness.token)
    await client_at(endpoint, credentials).fetch_info()
    credentials.password = None
    await client_at(endpoint, credentials).fetch_info()


@pytest.mark.parametrize("given", [{}, {"password": "wrong"}, {"token": "wrong"}])
async def test_missing_or_wrong_password_is_reported(
    password_harness: GatewayHarness, given: dict[str, str]
) -> None:
    endpoint = Endpoint("127.0.0.1", password_harness.port)
    with pytest.raises(InvalidTokenError) as caught:
        await client_at(endpoint, credentials_with(**given)).fetch_info()
    assert caught.value.wants_password


@pytest.mark.parametrize("protocol", [4], indirect=True)
async def test_setup_code_pairs_device_after_approval(harness: GatewayHarness) -> None:
    link = read_setup_link(f"oc-pair://{await harness.print_setup_code()}")
    address = link.addresses[0]
    endpoint = Endpoint(address.host, address.port, headers=REMOTE_HEADERS)
    credentials = credentials_with(bootstrap_token=link.bootstrap_token)
    client = client_at(endpoint, credentials)
    with pytest.raises(PairingRequiredError) as caught:
        await client.fetch_info()
    await harness.approve(str(caught.value.request_id))
    await client.fetch_info()
    assert credentials.bootstrap_token is None
    await client.fetch_info()
