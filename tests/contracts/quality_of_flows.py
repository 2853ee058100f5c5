"""Quality scale rules on config flows."""

from collections.abc import Iterator

from .component import Component
from .quality_scale import rule


@rule(
    "config-flow",
    {
        "manifest.json": '{"config_flow": true}',
        "translations/en.json": '{"config": {"step": {"user": {"data": {"a": ""}}}}}',
    },
)
def undescribed_fields(component: Component) -> Iterator[str]:
    """Find form fields without a description."""
    texts = component.json("translations/en.json")
    flows = [texts.get("config", {}), texts.get("options", {})]
    for flow in (*flows, *texts.get("config_subentries", {}).values()):
        for name, step in flow.get("step", {}).items():
            for form in (step, *step.get("sections", {}).values()):
                fields = form.get("data", {}).keys()
                described = form.get("data_description", {}).keys()
                yield from (f"{name}.{field}" for field in fields - described)
