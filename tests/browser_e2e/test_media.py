"""Pictures and files of a reply in the browser."""

from io import BytesIO

from PIL import Image
import pytest

from tests.simulator import GatewaySimulator, Media, Reply

from .frontend import Frontend

SCRIPT = b"<script>document.title = 'run'</script>"


def picture() -> bytes:
    """Return a red picture of 32 times 24 pixels."""
    stream = BytesIO()
    Image.new("RGB", (32, 24), "red").save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("gateway", [4], indirect=True)
@pytest.mark.usefixtures("entry")
async def test_a_reply_shows_its_picture_and_downloads_its_files(
    frontend: Frontend, gateway: GatewaySimulator
) -> None:
    gateway.http.files["./pic.png"] = ("image/png", picture())
    gateway.http.files["./note.html"] = ("text/html", SCRIPT)
    gateway.script(
        Reply("Here it is."), Media(("./pic.png", "./note.html", "/etc/passwd"))
    )
    await frontend.ask("Show me.")
    assert await frontend.picture_size() == (32, 24)
    assert await frontend.download_link("note.html") == ("note.html", SCRIPT)
    await frontend.expect_in_reply("passwd cannot be shown")
