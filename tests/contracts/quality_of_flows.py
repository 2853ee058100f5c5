"""What contradicts the rules on the flows that add and change entries."""

from collections.abc import Iterator

from .component import Component
from .quality_scale import rule


@rule(
    "config-flow",
    {"manifest.json": "{}"},
    {
        "manifest.json": '{"config_flow": true}',
        "translations/en.json": '{"config": {"step": {"user": {"data": {"a": ""}}}}}',
    },
)
def undescribed_fields(component: Component) -> Iterator[str]:
    """Find that there is no flow, and fields without a description."""
    if not component.json("manifest.json").get("config_flow"):
        yield "config_flow"
    texts = component.json("translations/en.json")
    flows = [texts.get("config", {}), texts.get("options", {})]
    for flow in (*flows, *texts.get("config_subentries", {}).values()):
        for name, step in flow.get("step", {}).items():
            for form in (step, *step.get("sections", {}).values()):
                fields = form.get("data", {}).keys()
                described = form.get("data_description", {}).keys()
                yield from (f"{name}.{field}" for field in fields - described)


@rule("test-before-configure", {})
def untested_flow(component: Component) -> Iterator[str]:
    """Find that no flow tries the connection."""
    if not any(call.name.endswith(".probe") for call in component.calls):
        yield "probe"


@rule("unique-config-entry", {})
def entries_twice(component: Component) -> Iterator[str]:
    """Find that no flow looks for an entry of the same Gateway."""
    aborts = ("_abort_if_unique_id_configured", "_async_abort_entries_match")
    if not any(call.name.endswith(aborts) for call in component.calls):
        yield "abort"


@rule("reauthentication-flow", {"c.py": "def async_step_reauth(): ..."})
def no_reauthentication(component: Component) -> Iterator[str]:
    """Find that a token cannot be replaced."""
    yield from component.without("async_step_reauth", "async_step_reauth_confirm")


@rule("reconfiguration-flow", {})
def no_reconfiguration(component: Component) -> Iterator[str]:
    """Find that an entry cannot be changed."""
    yield from component.without("async_step_reconfigure")


@rule(
    "discovery",
    {"c.py": "def async_step_zeroconf(): ..."},
    {"manifest.json": '{"zeroconf": ["_openclaw-gw._tcp.local."]}'},
)
def no_discovery(component: Component) -> Iterator[str]:
    """Find that an advertised Gateway is not noticed."""
    if not component.json("manifest.json").get("zeroconf"):
        yield "zeroconf"
    yield from component.without("async_step_zeroconf")
