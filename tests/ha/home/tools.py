"""Tools and an LLM API of another integration."""

import asyncio
from collections.abc import Callable
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import llm
import voluptuous as vol

from custom_components.clawd.home.apis import HAS_PLATFORMS


class Validated(vol.Schema):  # type: ignore[misc] # untyped
    """Schema that refuses all data."""

    def __init__(self, schema: object, refuse: Callable[[object], None]) -> None:
        """Refuse with a callable."""
        super().__init__(schema)
        self._refuse = refuse

    def __call__(self, data: object) -> object:
        """Refuse."""
        self._refuse(data)
        return data


class FakeTool(llm.Tool):
    """Tool that returns, raises or waits."""

    annotated = HAS_PLATFORMS

    def __init__(  # noqa: PLR0913 - what a tool may do
        self,
        name: str,
        *,
        result: dict[str, Any] | None = None,
        error: Exception | None = None,
        wait: asyncio.Event | None = None,
        read_only: bool = False,
        destructive: bool = True,
        parameters: Any = None,  # noqa: ANN401 - also what is no schema
        description: str = "Does something.",
    ) -> None:
        """Initialize with the result of a call."""
        self.name = name
        self.description = description
        self.parameters = vol.Schema({}) if parameters is None else parameters
        self.called = asyncio.Event()
        self.arguments: list[dict[str, Any]] = []
        self._result, self._error, self._wait = result, error, wait
        if HAS_PLATFORMS:
            self.integration = "fake"
            self.annotations = llm.ToolAnnotations(
                read_only=read_only, destructive=destructive
            )

    async def async_call(
        self,
        hass: HomeAssistant,  # noqa: ARG002 - Home Assistant's signature
        tool_input: llm.ToolInput,
        llm_context: llm.LLMContext,  # noqa: ARG002 - the same
    ) -> Any:  # noqa: ANN401 - depends on the version
        """Return, raise or wait."""
        self.called.set()
        self.arguments.append(tool_input.tool_args)
        if self._error:
            raise self._error
        if self._wait:
            await self._wait.wait()
        data = self._result or {"ok": True}
        return llm.ToolResult(data=data) if HAS_PLATFORMS else data


class FakeApi(llm.API):
    """LLM API with some tools."""

    tools: list[llm.Tool]
    error: Exception | None = None

    @classmethod
    def register(
        cls,
        hass: HomeAssistant,
        *tools: llm.Tool,
        kind: type[FakeApi] | None = None,
        api_id: str = "fake",
    ) -> FakeApi:
        """Register an API with tools."""
        api = (kind or cls)(hass=hass, id=api_id, name=f"The API {api_id}")
        api.tools = list(tools)
        llm.async_register_api(hass, api)
        return api

    async def async_get_api_instance(
        self, llm_context: llm.LLMContext
    ) -> llm.APIInstance:
        """Return the tools."""
        if self.error:
            raise self.error
        return llm.APIInstance(
            api=self,
            api_prompt="Be nice.",
            llm_context=llm_context,
            tools=self.tools,
            custom_serializer=llm.selector_serializer,
        )


class AdminApi(FakeApi):
    """LLM API for admins, as of Home Assistant 2026.11."""

    requires_admin = True
