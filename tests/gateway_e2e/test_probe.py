"""Tests of what a Gateway tells of itself, and of how it lets a device in."""

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
from .clients import TIMING, client_at, new_client
from .gateway_harness import Stage
from .test_connection import FROM_ELSEWHERE


def credentials_with(**shown: str) -> Credentials:
    """Return credentials of a new device."""
    credentials = Credentials(DeviceIdentity.generate(), ClientInfo("0.1.0"))
    for name, value in shown.items():
        setattr(credentials, name, value)
    return credentials


async def test_a_look_is_enough_to_know_a_gateway(stage: Stage) -> None:
    peer = await probe_endpoint(Endpoint("127.0.0.1", stage.port), TIMING)
    assert (peer.address, peer.fingerprint) == ("127.0.0.1", None)


@pytest.mark.parametrize("path", ["/", "/openclaw", "/chat"])
async def test_a_path_does_not_matter(stage: Stage, path: str) -> None:
    endpoint = Endpoint("127.0.0.1", stage.port, path=path)
    await client_at(endpoint, credentials_with(token=stage.token)).fetch_info()


async def test_a_gateway_keeps_its_identity(stage: Stage) -> None:
    first = await new_client(stage).fetch_info()
    await stage.stop()
    await stage.start()
    assert (await new_client(stage).fetch_info()).gateway_id == first.gateway_id
    assert len(bytes.fromhex(first.gateway_id.rpartition(":")[2])) == 32


async def test_the_agents_and_their_models_are_listed(
    stage: Stage, client: GatewayClient
) -> None:
    catalogue = await client.agents.list()
    models = {model.ref: model for model in await client.models.list()}
    assert catalogue.default == "main"
    chef = catalogue.get("kitchen")
    assert chef
    assert chef.name == "Chef"
    thinker = models["mock/thinker"]
    assert thinker.available
    told = tuple(level.id for level in thinker.thinking_levels)
    assert told == tuple(level.id for level in chef.thinking_levels)
    assert set(told) >= {"off", "low", "high"}
    assert chef.model == (thinker.ref if stage.protocol == 4 else None)


async def test_a_session_may_be_given_another_model(
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
async def test_an_agent_that_is_gone_is_refused(client: GatewayClient) -> None:
    with pytest.raises(RequestFailedError):
        await client.start_run(RunRequest("say Hello.", "agent:nobody:e2e"))


@pytest.mark.parametrize("protocol", [4], indirect=True)
async def test_a_model_that_does_not_think_is_not_made_to(
    client: GatewayClient, session_key: str
) -> None:
    run = await client.start_run(RunRequest("say Hello.", session_key, thinking="high"))
    with pytest.raises(AgentRunError) as caught:
        await run.result()
    assert caught.value.code == "UNAVAILABLE"


async def test_an_agent_that_thinks_may_be_told_how_hard(
    stage: Stage, client: GatewayClient
) -> None:
    stage.expect(Reply("Hello."))
    run = await client.start_run(
        RunRequest("say Hello.", "agent:kitchen:e2e", thinking="low")
    )
    assert (await run.result()).text == "Hello."


@pytest.mark.parametrize("protocol", [4], indirect=True)
async def test_the_steps_with_tools_are_told(
    stage: Stage, client: GatewayClient, session_key: str
) -> None:
    stage.expect(Reply("Let me look."), ECHO_TOOL, Reply("It is done."))
    run = await client.start_run(
        RunRequest(
            f"say Let me look. | {ECHO} | say It is done.",
            session_key,
            include_tools=True,
        )
    )
    parts = [part async for part in run.parts()]
    texts = [part for part in parts if isinstance(part, str)]
    call, result = (part for part in parts if not isinstance(part, str))
    assert "".join(texts) == "Let me look.\n\nIt is done."
    assert call == ToolCall(call.id, "exec", {"command": "echo marmalade"})
    assert isinstance(result, ToolResult)
    assert (result.id, result.is_error) == (call.id, False)
    assert "".join(map(str, parts[: parts.index(call)])) == "Let me look."


async def test_a_password_opens_where_one_is_wanted(locked_stage: Stage) -> None:
    endpoint = Endpoint("127.0.0.1", locked_stage.port)
    credentials = credentials_with(password=locked_stage.token)
    await client_at(endpoint, credentials).fetch_info()
    credentials.password = None
    await client_at(endpoint, credentials).fetch_info()


@pytest.mark.parametrize("shown", [{}, {"password": "wrong"}, {"token": "wrong"}])
async def test_a_gateway_says_that_it_wants_a_password(
    locked_stage: Stage, shown: dict[str, str]
) -> None:
    endpoint = Endpoint("127.0.0.1", locked_stage.port)
    with pytest.raises(InvalidTokenError) as caught:
        await client_at(endpoint, credentials_with(**shown)).fetch_info()
    assert caught.value.wants_password


@pytest.mark.parametrize("protocol", [4], indirect=True)
async def test_a_setup_code_lets_a_device_in_once_it_is_approved(stage: Stage) -> None:
    link = read_setup_link(f"oc-pair://{await stage.print_setup_code()}")
    endpoint = Endpoint(link.host, link.port, headers=FROM_ELSEWHERE)
    credentials = credentials_with(bootstrap_token=link.bootstrap_token)
    client = client_at(endpoint, credentials)
    with pytest.raises(PairingRequiredError) as caught:
        await client.fetch_info()
    await stage.approve(str(caught.value.request_id))
    await client.fetch_info()
    assert credentials.bootstrap_token is None
    await client.fetch_info()
