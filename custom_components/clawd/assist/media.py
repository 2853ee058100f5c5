"""Pictures and files of a reply, fetched for who asked."""

import asyncio
from contextlib import contextmanager
from datetime import timedelta
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from homeassistant.components.http.auth import async_sign_path
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from ..const import LOGGER
from ..gateway import GatewayError, MediaError
from ..sentences import async_get_text
from .image_tasks import following_images
from .listeners import get_listeners
from .media_cache import (
    MAX_FILE_SIZE,
    MAX_REPLY_SIZE,
    MEDIA_CACHE,
    MediaNotKeptError,
    space_of,
)
from .media_markdown import MediaItem, file_name, find_elsewhere
from .media_view import media_path

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry
    from ..gateway import Artifact, Media
    from ..home.announcements import Listener
    from .image_tasks import ImageTasks

# As long as Home Assistant signs the path of a picture that an AI task has made.
LINK_EXPIRATION: Final = timedelta(hours=1)
# A notification may be read on the next day.
NOTIFICATION_EXPIRATION: Final = timedelta(days=1)
# Seconds for all media of one reply: its end waits for them.
MEDIA_TIMEOUT: Final = 20.0
# Seconds to wait for a picture that is being made; image models take up to a minute.
IMAGE_TIMEOUT: Final = 90.0

# Of at least two letters: C:\claw\a.png is a path.
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)
# Of the Gateway itself: media://inbound/… is a file that was sent to the agent.
_GATEWAY_SCHEMES: Final = ("file:", "media:")


class Asker(NamedTuple):
    """Asking user and language.

    Attributes:
        waits: a chat or an automation waits for the reply; otherwise a notification
            shows it.

    """

    user_id: str | None
    language: str
    waits: bool = True


@contextmanager
def reply_media(
    hass: HomeAssistant, entry: ClawdConfigEntry, session_key: str, asker: Asker
) -> Iterator[ReplyMedia]:
    """Collect the media of a reply."""
    listeners = get_listeners(entry)
    claim = listeners.claim if asker.waits else lambda _: False
    with following_images(entry.runtime_data, session_key, claim) as tasks:
        media = ReplyMedia(hass, entry, session_key, asker, tasks)
        try:
            yield media
        finally:
            if not media.made and asker.waits:
                # The agent reports them in a later message.
                listeners.release(tasks.known)


async def async_describe_media(  # noqa: PLR0913 - the reply, and who is told of it
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    session_key: str,
    listener: Listener,
    references: tuple[str, ...] = (),
    *,
    made_by: str | None = None,
) -> str:
    """Return Markdown for a notification.

    Everybody may read a notification of Home Assistant: it has links only for
    listeners without a user, such as a voice device. `made_by` is the id of the task
    in the reply.
    """
    if not (references or made_by):
        return ""
    if listener.user_id is not None:
        return await async_get_text(hass, listener.language, "media_in_chat")
    asker = Asker(None, listener.language, waits=False)
    with reply_media(hass, entry, session_key, asker) as media:
        shown = [await media.show(references)]
        if made_by:
            shown.append(await media.show_made_by(made_by))
        return "\n\n".join(filter(None, shown))


class ReplyMedia:
    """Pictures and files of a reply: their addresses, or why they have none.

    Pictures, links, or reasons for missing ones. They are fetched at the end of the
    reply: its session may be gone later, without a way to report a missing picture.

    Attributes:
        made: pictures of image tasks are shown.

    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ClawdConfigEntry,
        session_key: str,
        asker: Asker,
        tasks: ImageTasks,
    ) -> None:
        """Initialize for a session and user."""
        self._hass = hass
        self._entry_id = entry.entry_id
        self.made = False
        # The entry has none when it is unloaded meanwhile.
        self._client = entry.runtime_data.client
        self._session_key = session_key
        self._asker = asker
        self._tasks = tasks
        self._room = MAX_REPLY_SIZE

    async def show(self, references: tuple[str, ...]) -> str:
        """Return the result of `collect()` as Markdown."""
        return _join(await self.collect(references))

    async def collect(self, references: tuple[str, ...]) -> list[MediaItem]:
        """Return the media of a reply."""
        deadline = self._hass.loop.time() + MEDIA_TIMEOUT
        items = []
        for reference in references:
            try:
                async with asyncio.timeout_at(deadline):
                    items.append(await self._find(reference))
            except TimeoutError:
                items.append(await self._explain(reference, "timeout"))
        if self._tasks.known:
            made = await self._collect_made()
            self.made = bool(made)
            items += made
        return items

    async def show_made_by(self, task_id: str) -> str:
        """Return the media of a task of which the agent has told, as Markdown."""
        try:
            async with asyncio.timeout(MEDIA_TIMEOUT):
                # It ends after the agent has told of it.
                task = await self._client.tasks.get(task_id)
                self._tasks.known.setdefault(task_id, task)
                await self._tasks.wait(task_id)
                return _join(await self._collect_artifacts([task_id]))
        except TimeoutError, GatewayError:
            self._count("not_made")
            return ""

    async def _find(self, reference: str) -> MediaItem:
        if scheme := _SCHEME.match(reference):
            kind = scheme[0].lower()
            if kind == "https:" and (item := find_elsewhere(reference)):
                self._count("link")
                return item
            if kind not in _GATEWAY_SCHEMES:
                return await self._explain(reference, "unsupported")
        client = self._client
        if client.hello and not client.hello.serves_media:
            return await self._explain(reference, "needs_openclaw")
        return await self._fetch(
            reference,
            client.media.fetch(
                async_get_clientsession(self._hass),
                reference,
                self._session_key,
                MAX_FILE_SIZE,
            ),
        )

    async def _collect_made(self) -> list[MediaItem]:
        """Return the pictures of running tasks."""
        try:
            async with asyncio.timeout(IMAGE_TIMEOUT):
                tasks = await self._tasks.wait_all()
                return await self._collect_artifacts([task.id for task in tasks])
        except TimeoutError, GatewayError:
            self._count("not_made")
            return []

    async def _collect_artifacts(self, task_ids: list[str]) -> list[MediaItem]:
        """Return the artifacts of tasks."""
        artifacts = await self._client.artifacts.list(self._session_key)
        return [
            await self._fetch_artifact(artifact)
            for artifact in artifacts
            # image_generate:39254929-b189-…:ok:agent-loop
            if any(task_id in artifact.run_id for task_id in task_ids)
        ]

    async def _fetch_artifact(self, artifact: Artifact) -> MediaItem:
        return await self._fetch(
            artifact.name,
            self._client.media.fetch_artifact(
                async_get_clientsession(self._hass),
                artifact.id,
                self._session_key,
                MAX_FILE_SIZE,
            ),
        )

    async def _fetch(self, reference: str, download: Awaitable[Media]) -> MediaItem:
        """Keep a download; return its address, or why there is none."""
        try:
            media = await download
        except MediaError as err:
            return await self._explain(reference, err.problem)
        except GatewayError:
            return await self._explain(reference, "unreachable")
        space = space_of(len(media.content))
        if space > self._room:
            return await self._explain(reference, "too_many")
        self._room -= space
        try:
            kept = await self._hass.data[MEDIA_CACHE].async_add(
                self._entry_id, self._asker.user_id, file_name(reference), media
            )
        except MediaNotKeptError:
            return await self._explain(reference, "not_kept")
        self._count("ok")
        return MediaItem(kept.name, kept.mime_type, self._sign(media_path(kept)))

    def _sign(self, path: str) -> str:
        """Return a signed path.

        Its id cannot be guessed either.
        """
        waits, user_id = self._asker.waits, self._asker.user_id
        expiration = LINK_EXPIRATION if waits else NOTIFICATION_EXPIRATION
        # Without a user, not by the login of whoever has caused the reply, who may not
        # open it.
        return async_sign_path(
            self._hass, path, expiration, use_content_user=user_id is None
        )

    async def _explain(self, reference: str, reason: str) -> MediaItem:
        """Return why something is not shown."""
        LOGGER.debug("Media of a reply not shown: %s", reason)
        self._count(reason)
        limit = MAX_REPLY_SIZE if reason == "too_many" else MAX_FILE_SIZE
        name = file_name(reference)
        text = await async_get_text(
            self._hass,
            self._asker.language,
            f"media_{'unreachable' if reason == 'timeout' else reason}",
            name=name,
            limit=str(limit // 2**20),
        )
        return MediaItem(name, problem=text)

    def _count(self, outcome: str) -> None:
        self._hass.data[MEDIA_CACHE].outcomes[self._entry_id][outcome] += 1


def _join(items: list[MediaItem]) -> str:
    """Return media as paragraphs of Markdown."""
    return "\n\n".join(item.markdown for item in items)
