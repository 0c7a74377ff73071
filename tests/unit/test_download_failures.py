import pytest

from foundry_tui.domain.downloads import DownloadFailure
from foundry_tui.engines.downloads.failures import download_failure, is_cut_off

# As the runtime 2.2.1 said them.
REGISTRY = (
    "model_registry_client.cc:83 fl::ModelContainer fl::ModelRegistryClient::ResolveModelContainer"
    "(const std::string&, const std::string&) model registry API request failed for asset_id"
    ' azureml://registries/loopback/models/m/versions/1: HTTP {status}: {{"error":{{"message":"{words}"}}}}'
)
FALLBACK = (
    "region_fallback.cc:211 fl::FallbackResult fl::RegionFallback::Execute(const std::string&,"
    " const AttemptFn&) region fallback exhausted all 2 candidate region(s): westeurope(HTTP 429),"
    " uksouth(transport failure)"
)
LIST_REFUSED = (
    "blob_downloader.cc:94 virtual std::vector<fl::BlobItemInfo> fl::AzureBlobDownloader::ListBlobs"
    "(const std::string&) failed to list blobs: 403 Forbidden\nSignature not valid.\nRequest ID: "
)
BLOB_GONE = (
    "blob_downloader.cc:411 virtual void fl::AzureBlobDownloader::DownloadBlob(const std::string&,"
    " const std::string&, const std::string&, int, fl::BlobBytesWrittenFn, std::atomic<bool>*)"
    " failed to download blob 'model.onnx.data': 404 Not Found\n\nRequest ID: "
)
NO_ROOM = (
    "file_writer.cc:76 void fl::FileWriter::WriteAt(int64_t, const uint8_t*, size_t)"
    " FileWriter pwrite failed at offset 9486336 (errno 28)"
)
TOO_BIG = (
    "file_writer.cc:51 void fl::{anonymous}::EnsureFileExistsAtSize(const std::filesystem::path&, int64_t)"
    " failed to pre-allocate blob file: /cache/L/m-1/padding.bin (size=30000000)"
)
NO_FOLDER = "filesystem error: cannot create directories: Not a directory [/cache/L/m-1]"
EMPTY_REFUSAL = (
    "[json.exception.parse_error.101] parse error at line 1, column 1: attempting to parse an empty input"
)


@pytest.mark.parametrize(
    ("code", "text", "failure"),
    [
        (6, REGISTRY.format(status=404, words="gone"), DownloadFailure.NOT_FOUND),
        (6, REGISTRY.format(status=503, words="busy"), DownloadFailure.NETWORK),
        (6, REGISTRY.format(status=401, words="who"), DownloadFailure.NETWORK),
        (6, FALLBACK, DownloadFailure.NETWORK),
        (6, LIST_REFUSED, DownloadFailure.NETWORK),
        (6, BLOB_GONE, DownloadFailure.NOT_FOUND),
        (2, NO_ROOM, DownloadFailure.DISK_FULL),
        (2, NO_ROOM.replace("28", "122"), DownloadFailure.DISK_FULL),
        (2, NO_ROOM.replace("28", "5"), DownloadFailure.STORAGE),
        (2, TOO_BIG, DownloadFailure.STORAGE),
        (2, NO_FOLDER, DownloadFailure.STORAGE),
        (2, "There is not enough space on the disk.", DownloadFailure.DISK_FULL),
        (2, EMPTY_REFUSAL, DownloadFailure.NETWORK),
        (2, "model download timed out after 3 hours", DownloadFailure.NETWORK),
        (3, "path segment contains forbidden character '/': 'a/b'", DownloadFailure.OTHER),
        (2, "something new", DownloadFailure.OTHER),
        (None, "", DownloadFailure.OTHER),
    ],
)
def test_what_the_runtime_says_is_told_apart(code: int | None, text: str, failure: DownloadFailure) -> None:
    assert download_failure(code, text)[0] is failure


@pytest.mark.parametrize("words", ["no space left (errno 28)", "HTTP 404: gone", "permission denied"])
def test_a_server_cannot_choose_what_its_refusal_is_taken_for(words: str) -> None:
    failure, _ = download_failure(6, REGISTRY.format(status=503, words=words))

    assert failure is DownloadFailure.NETWORK


def test_the_reason_is_one_harmless_line_without_places_in_a_source() -> None:
    _, reason = download_failure(6, BLOB_GONE + "\x1b[31m\u202e" + "x" * 100_000)

    assert reason.startswith("failed to download blob 'model.onnx.data': 404 Not Found Request ID:")
    assert len(reason) <= 600
    assert not {"\x1b", "\n", "\u202e"} & set(reason)


def test_a_full_disk_is_called_so() -> None:
    assert download_failure(2, NO_ROOM)[1] == (
        "the disk is full: FileWriter pwrite failed at offset 9486336 (errno 28)"
    )


def test_a_catalog_that_gave_no_answer_is_seen_in_the_log() -> None:
    assert is_cut_off("[error] failed to fetch catalog from http://127.0.0.1:1/models: transport failure")
    assert is_cut_off("[error] FetchModelsByIds: failed to query http://127.0.0.1:1/models")
    assert not is_cut_off("[warning] RegionFallback: region 'westeurope' unhealthy")
