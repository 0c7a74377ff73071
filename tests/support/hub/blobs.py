"""Containers in the manner of Azure Blob Storage: the list in XML, HEAD, and GET of a part."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha1
from typing import Final, TypeVar
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from tests.support.hub.answering import Answering
from tests.support.hub.catalog import Catalog
from tests.support.hub.content import Content, Inline
from tests.support.hub.faults import EmptyContainer, Fault, Faults, Missing, NoRanges, Place, WrongSize
from tests.support.hub.links import LinkRefused, Links
from tests.support.hub.model import HubModel
from tests.support.hub.record import Exchange

__all__ = ["Blobs"]

_RANGE: Final = re.compile(r"bytes=(\d+)-(\d*)$")
_MOST_PER_LIST: Final = 5000
_CHANGED: Final = format_datetime(datetime(2026, 6, 2, 7, 3, 1, tzinfo=UTC), usegmt=True)
_VERSION: Final = ("x-ms-version", "2024-11-04")
_Wanted = TypeVar("_Wanted", bound=Fault)
_NOT_FOUND: Final = LinkRefused("BlobNotFound", "The specified blob does not exist.")
_NO_CONTAINER: Final = LinkRefused("ContainerNotFound", "The specified container does not exist.")


class Blobs:
    """Serves the files of every model of a catalog.

    Attributes:
        per_list: Most blobs in one answer to a list; further ones are had by its marker.
    """

    def __init__(self, catalog: Catalog, links: Links, faults: Faults) -> None:
        self._catalog = catalog
        self._links = links
        self._faults = faults
        self.per_list = _MOST_PER_LIST

    def describe(self, exchange: Exchange) -> None:
        """Enter into the exchange which model and which blob it is about, and which bytes."""
        container, _, blob = exchange.request.path.removeprefix("/").partition("/")
        model = self._catalog.by_container(container)
        exchange.model = model.id if model is not None else None
        exchange.blob = unquote(blob) or None
        if "comp=list" in exchange.request.query.split("&"):
            exchange.asks = "LIST"
        headers = exchange.request.headers
        if (asked := _RANGE.match(headers.get("x-ms-range") or headers.get("range") or "")) is not None:
            first, last = asked.groups()
            exchange.byte_range = (int(first), int(last) if last else -1)

    async def answer(self, exchange: Exchange, answering: Answering) -> None:
        """Answer one request to a container."""
        container = exchange.request.path.removeprefix("/").partition("/")[0]
        model = self._catalog.by_container(container)
        if model is None:
            await _refuse(answering, 404, _NO_CONTAINER, is_head=exchange.asks == "HEAD")
        elif (refusal := self._links.refusal(container, exchange.request.query)) is not None:
            await _refuse(
                answering,
                404 if refusal.code == "ResourceNotFound" else 403,
                refusal,
                is_head=exchange.asks == "HEAD",
            )
        elif exchange.asks == "LIST":
            body = self._list(model, exchange.request.query)
            await answering.whole(200, "application/xml", body, [_VERSION])
        elif exchange.asks in ("HEAD", "GET"):
            await self._serve(model, exchange, answering)
        else:
            words = "The resource doesn't support specified Http Verb."
            await _refuse(
                answering, 405, LinkRefused("UnsupportedHttpVerb", words), is_head=exchange.asks == "HEAD"
            )

    async def _serve(self, model: HubModel, exchange: Exchange, answering: Answering) -> None:
        blob = exchange.blob or ""
        content = model.files.get(blob)
        if content is None or self._is_missing(model, blob):
            await _refuse(answering, 404, _NOT_FOUND, is_head=exchange.asks == "HEAD")
            return
        size, etag = self._size(model, blob, content), _etag(model, blob, content)
        wanted = exchange.request.headers.get("if-match")
        if wanted not in (None, "*", etag):
            words = "The condition specified using HTTP conditional header(s) is not met."
            await _refuse(
                answering, 412, LinkRefused("ConditionNotMet", words), is_head=exchange.asks == "HEAD"
            )
            return
        has_ranges = self._fault(NoRanges, model, blob) is None
        headers = [
            ("Content-Type", "application/octet-stream"),
            ("Last-Modified", _CHANGED),
            ("ETag", etag),
            ("x-ms-blob-type", "BlockBlob"),
            ("x-ms-creation-time", _CHANGED),
            ("x-ms-server-encrypted", "true"),
            ("x-ms-lease-status", "unlocked"),
            ("x-ms-lease-state", "available"),
            _VERSION,
        ]
        if has_ranges:
            headers.append(("Accept-Ranges", "bytes"))
        if exchange.byte_range is None or exchange.asks == "HEAD" or not has_ranges:
            await answering.part(200, headers, content, 0, size)
            return
        first, last = exchange.byte_range
        last = size - 1 if last < 0 else min(last, size - 1)
        if first >= size or last < first:
            words = "The range specified is invalid for the current size of the resource."
            await _refuse(answering, 416, LinkRefused("InvalidRange", words), is_head=exchange.asks == "HEAD")
            return
        headers.append(("Content-Range", f"bytes {first}-{last}/{size}"))
        await answering.part(206, headers, content, first, last - first + 1)

    def _list(self, model: HubModel, query: str) -> bytes:
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        prefix = asked.get("prefix", "")
        names = [name for name in self._listed(model) if name.startswith(prefix)]
        start = int(asked.get("marker", "0"))
        stop = start + min(int(asked.get("maxresults", _MOST_PER_LIST)), self.per_list)
        marker = str(stop) if stop < len(names) else ""
        blobs = "".join(self._entry(model, name) for name in names[start:stop])
        return (
            '<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="http://127.0.0.1/"'
            f' ContainerName="{model.container}"><Prefix>{escape(prefix)}</Prefix>'
            f"<Blobs>{blobs}</Blobs><NextMarker>{marker}</NextMarker></EnumerationResults>"
        ).encode()

    def _listed(self, model: HubModel) -> Iterator[str]:
        if self._fault(EmptyContainer, model, None) is not None:
            return
        for name in model.files:
            missing = self._fault(Missing, model, name)
            if missing is None or missing.is_listed:
                yield name

    def _entry(self, model: HubModel, name: str) -> str:
        content = model.files[name]
        return (
            f"<Blob><Name>{escape(name)}</Name><Properties><Creation-Time>{_CHANGED}</Creation-Time>"
            f"<Last-Modified>{_CHANGED}</Last-Modified><Etag>{escape(_etag(model, name, content))}</Etag>"
            f"<Content-Length>{self._size(model, name, content)}</Content-Length>"
            "<Content-Type>application/octet-stream</Content-Type><Content-Encoding /><Content-Language />"
            "<Content-CRC64 /><Content-MD5 /><Cache-Control /><Content-Disposition />"
            "<BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier>"
            "<AccessTierInferred>true</AccessTierInferred><LeaseStatus>unlocked</LeaseStatus>"
            "<LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted></Properties>"
            "<OrMetadata /></Blob>"
        )

    def _is_missing(self, model: HubModel, blob: str) -> bool:
        return (
            self._fault(Missing, model, blob) is not None
            or self._fault(EmptyContainer, model, blob) is not None
        )

    def _size(self, model: HubModel, blob: str, content: Content) -> int:
        wrong = self._fault(WrongSize, model, blob)
        return content.size_bytes if wrong is None else wrong.size_bytes

    def _fault(self, kind: type[_Wanted], model: HubModel, blob: str | None) -> _Wanted | None:
        return self._faults.first(kind, Place.BLOBS, model=model.id, blob=blob)


def _etag(model: HubModel, name: str, content: Content) -> str:
    # Of content, not of time: what was put in its place is another blob.
    said = f"{model.id}/{name}/{content!r}"
    return f'"0x{sha1(said.encode(errors="surrogatepass")).hexdigest()[:15].upper()}"'


async def _refuse(answering: Answering, status: int, refusal: LinkRefused, *, is_head: bool) -> None:
    headers = [("x-ms-error-code", refusal.code), _VERSION]
    if is_head:
        # No words, and none announced: the client would read an XML that does not come.
        await answering.part(status, headers, Inline(b""), 0, 0)
        return
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{refusal.code}</Code>'
        f"<Message>{refusal.message}</Message></Error>"
    ).encode()
    await answering.whole(status, "application/xml", body, headers)
