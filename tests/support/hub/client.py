"""A client of a hub that asks what the runtime asks, and any other part of it that a test wants."""

import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

from tests.support.hub.hub import Hub
from tests.support.hub.model import HubModel
from tests.support.hub.samples import synthetic_model

__all__ = [
    "DATA",
    "ONE",
    "SIZE",
    "TWO",
    "Answer",
    "ask",
    "blob",
    "fetch",
    "listed",
    "part",
    "resolve",
    "two_models",
]

ONE: Final = "one-generic-cpu:1"
TWO: Final = "two-generic-cpu:1"
DATA: Final = "model.onnx.data"
"""The weights of a made-up model."""
SIZE: Final = 300_000
"""Of the weights of the two."""

_END_S: Final = 10.0
_METADATA: Final = "properties/variantInfo/variantMetadata"
_FIELDS: Final = {
    "type": "type",
    "labels": "labels",
    "archived": "annotations/archived",
    "name": "name",
    "device": f"{_METADATA}/device",
    "provider": f"{_METADATA}/executionProvider",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as a client reads it.

    Attributes:
        headers: By lower-case name.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def two_models() -> list[HubModel]:
    """``ONE`` and ``TWO``."""
    return [
        synthetic_model("one", size_bytes=SIZE),
        synthetic_model("two", size_bytes=SIZE, seed=2),
    ]


def fetch(
    url: str, *, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """One request by plain http, on a connection of its own."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=_END_S)) as connection:
        connection.request(method, f"{parts.path or '/'}?{parts.query}", body, dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())


def blob(hub: Hub, model_id: str = ONE, name: str = DATA, *, link: str | None = None) -> str:
    """The address of a file, by a link that is fresh or the one given."""
    container, _, query = (link or hub.link(model_id)).partition("?")
    return f"{container}/{quote(name)}?{query}"


def part(hub: Hub, first: int, last: int, model_id: str = ONE) -> Answer:
    """Bytes ``first`` to ``last`` of the weights."""
    return fetch(blob(hub, model_id), headers={"x-ms-range": f"bytes={first}-{last}"})


def listed(hub: Hub, model_id: str = ONE, *, more: str = "") -> tuple[dict[str, int], str]:
    """Names and sizes of one answer to a list, and its marker."""
    answer = fetch(f"{hub.link(model_id)}&restype=container&comp=list{more}")
    root = ElementTree.fromstring(answer.body)
    sizes = {
        entry.findtext("Name", ""): int(entry.findtext("Properties/Content-Length", ""))
        for entry in root.iter("Blob")
    }
    return sizes, root.findtext("NextMarker", "")


def ask(hub: Hub, *, catalog: str = "main", **fields: str) -> list[str]:
    """Names and versions that the catalog has for these filters, of all pages."""
    filters = [{"field": _FIELDS[key], "operator": "eq", "values": [value]} for key, value in fields.items()]
    found: list[str] = []
    token = ""
    while True:
        body = json.dumps({"filters": filters, "pageSize": 50, "continuationToken": token}).encode()
        answer = json.loads(fetch(hub.catalog_url_of(catalog), method="POST", body=body).body)
        found += [f"{entry['name']}:{entry['version']}" for entry in answer["summaries"]]
        token = answer["continuationToken"]
        if not token:
            assert answer["totalCount"] == len(found)
            return found


def resolve(hub: Hub, model: HubModel, *, trust: ssl.SSLContext | None = None) -> Answer:
    """What the registry says of a model."""
    context = trust or ssl.create_default_context(cafile=hub.ca_file)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    url = (
        f"https://{hub.catalog_region}.api.azureml.ms/modelregistry/v1.0/registry/models/nonazureaccount"
        f"?assetId={quote(model.asset_id, safe='')}"
    )
    try:
        with opener.open(url, timeout=_END_S) as response:
            return Answer(response.status, dict(response.headers), response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read())
