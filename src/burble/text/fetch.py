"""Download from an address. Imported only when needed: http.client slows down a cold start."""

from __future__ import annotations

import http.client
import io
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_TIMEOUT_SECONDS = 30


def open_address(address: str) -> BinaryIO:
    """Open an http or https address for reading. Raises `OSError`, also while it is read."""
    try:
        request = urllib.request.Request(address, headers={"User-Agent": "burble"})  # noqa: S310 - the caller checked the scheme
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        raise
    except (ValueError, http.client.HTTPException) as error:
        raise OSError(str(error)) from error
    return cast("BinaryIO", _Download(response))


class _Download(io.RawIOBase):
    """The body of a response. Raises `OSError` if it is cut off, which http.client ignores."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        try:
            count = self._response.readinto(buffer)
        except http.client.HTTPException as error:
            raise OSError(f"the download broke off ({error})") from error
        left = getattr(self._response, "length", None)  # a file: address has no length
        if count == 0 and left:
            raise OSError(f"the download broke off {left:,} bytes before its end")
        return count

    def close(self) -> None:
        self._response.close()
        super().close()
