"""The steps of the config flow from an address to a Gateway that lets us in."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import (
    SOURCE_USER,
    SOURCE_ZEROCONF,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.data_entry_flow import AbortFlow
import voluptuous as vol

from .const import PAIRING_TASK
from .errors import approval_placeholders
from .flow_errors import certificate_error
from .gateway import CertificateError, InsecureTransportError, PairingRequiredError
from .visit import place_of

if TYPE_CHECKING:
    import asyncio

    from .gateway import GatewayError
    from .visit import Visit

NO_FIELDS: Final = vol.Schema({})
# A dialog has room for 16 of the 32 pairs, each with its colon.
LINE: Final = 48


class VisitSteps(ConfigFlow):
    """A config flow that visits a Gateway."""

    visit: Visit
    announced: str | None = None
    _approval: asyncio.Task[None] | None = None

    @abstractmethod
    async def _async_ask(self, error: GatewayError) -> ConfigFlowResult:
        """Show the form again, with what is wrong."""

    @abstractmethod
    async def _async_finish(self) -> ConfigFlowResult:
        """Keep a Gateway that has let us in."""

    async def async_step_certificate(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether a certificate that nothing vouches for is the right one."""
        if user_input is not None:
            await self.visit.async_trust_certificate()
            return await self._async_approach()
        presented = self.visit.presented or ""
        return self.async_show_form(
            step_id="certificate",
            data_schema=NO_FIELDS,
            errors={"base": certificate_error(self.visit, self.announced)},
            description_placeholders={
                "address": self.visit.place.url,
                "fingerprint": grouped(presented),
            },
        )

    async def async_step_insecure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether a public address may do without TLS."""
        if user_input is not None:
            await self.visit.async_allow_insecure()
            return await self._async_approach()
        return self.async_show_form(
            step_id="insecure",
            data_schema=NO_FIELDS,
            description_placeholders={"address": self.visit.place.url},
        )

    async def async_step_pairing(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Wait until somebody approves this device at the Gateway."""
        if self._approval is None:
            self._approval = self.hass.async_create_background_task(
                self.visit.async_wait_for_approval(), PAIRING_TASK
            )
        if not self._approval.done():
            return self.async_show_progress(
                step_id="pairing",
                progress_action="wait_for_approval",
                description_placeholders={
                    **approval_placeholders(self.visit.error),
                    "devices_url": f"{self.visit.place.page}/nodes",
                },
                progress_task=self._approval,
            )
        self._approval = None
        return self.async_show_progress_done(next_step_id="approved")

    async def async_step_approved(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go on with what the wait for approval led to."""
        if self.visit.refused and isinstance(self.visit.error, PairingRequiredError):
            return await self.async_step_refused()
        return await self._async_conclude()

    async def async_step_refused(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say that the request was turned down, and ask whether to try again."""
        if user_input is not None:
            return await self._async_log_in()
        return self.async_show_form(step_id="refused", data_schema=NO_FIELDS)

    async def _async_visit(self) -> ConfigFlowResult:
        await self.visit.async_find()
        return await self._async_approach()

    async def _async_approach(self) -> ConfigFlowResult:
        """Say nothing yet, but find out whether it can be told secrets."""
        match self.visit.error:
            case CertificateError():
                return await self.async_step_certificate()
            case InsecureTransportError():
                return await self.async_step_insecure()
            case None:
                self._abort_if_address_configured()
                return await self._async_log_in()
            case error:
                return await self._async_ask(error)

    async def _async_log_in(self) -> ConfigFlowResult:
        await self.visit.async_log_in()
        return await self._async_conclude()

    async def _async_conclude(self) -> ConfigFlowResult:
        match self.visit.error:
            case None:
                return await self._async_finish()
            case PairingRequiredError():
                return await self.async_step_pairing()
            case error:
                return await self._async_ask(error)

    def _abort_if_address_configured(self) -> None:
        if self.source in (SOURCE_USER, SOURCE_ZEROCONF) and any(
            place_of(entry.data) == self.visit.place
            for entry in self._async_current_entries(include_ignore=False)
        ):
            raise AbortFlow("already_configured")


def grouped(fingerprint: str) -> str:
    """Return a fingerprint as `openssl` prints it, in two lines."""
    pairs = zip(fingerprint[::2], fingerprint[1::2], strict=True)
    text = ":".join(map("".join, pairs)).upper()
    return f"{text[:LINE]}\n{text[LINE:]}" if text else ""
