"""Answers that are none: what a captive portal, a broken proxy or a hostile catalog might say."""

import json
from typing import Final

from tests.support.hub.faults import Nonsense

__all__ = ["NONSENSE"]


def _summaries(*entries: object) -> bytes:
    body = {"totalCount": len(entries), "continuationToken": "", "summaries": list(entries)}
    return json.dumps(body).encode()


def _wrong_types() -> bytes:
    return _summaries(
        None,
        7,
        "text",
        [],
        {},
        {
            "assetId": 7,
            "name": [],
            "alias": {},
            "displayName": 1.5,
            "version": -1,
            "publisher": False,
            "license": [],
            "inferenceTasks": "chat",
            "modelLimits": "none",
            "variantInformation": [{"variantMetadata": 7}],
        },
    )


NONSENSE: Final = {
    "html": Nonsense(
        body=b"<!doctype html><title>Sign in</title><h1>Welcome to the hotel</h1>", content_type="text/html"
    ),
    "empty": Nonsense(body=b""),
    "truncated": Nonsense(
        body=b'{"totalCount":3,"continuationToken":"","summaries":[{"assetId":"azureml://reg'
    ),
    "no-object": Nonsense(body=b"null"),
    "no-summaries": Nonsense(body=b'{"error":"none of your business"}'),
    "wrong-types": Nonsense(body=_wrong_types()),
    "nested-deeply": Nonsense(body=b"[" * 100_000 + b"]" * 100_000),
    "not-utf8": Nonsense(body=b'{"totalCount":1,"summaries":[{"name":"\xff\xfe\x9b31m"}]}'),
    # A token that leads back to the same page; who follows it blindly never ends.
    "endless-pages": Nonsense(body=b'{"totalCount":50,"continuationToken":"50","summaries":[]}'),
}
"""By name; meant for the catalog, of use for the registry too."""
