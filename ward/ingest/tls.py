"""TLS to the broker: who it is is always checked, and ward may show who it is itself."""

from __future__ import annotations

import socket
import ssl
from typing import Final


def context_of(
    ca_file: str | None, cert_file: str | None = None, key_file: str | None = None
) -> ssl.SSLContext:
    """TLS 1.2 or newer; the broker's certificate and name are verified, against ``ca_file`` alone or, by
    default, against what the machine trusts. Raises OSError, which names the file that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is None:
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise OSError(f"the certificate authority {ca_file} cannot be used: {_said(error)}") from error
    if cert_file is not None:
        try:
            context.load_cert_chain(cert_file, key_file)
        except OSError as error:
            raise OSError(f"the certificate {cert_file} or its key cannot be used: {_said(error)}") from error
    return context


PLAIN: Final[tuple[tuple[type[Exception], str], ...]] = (
    (ConnectionRefusedError, "nothing listens at that address and port"),
    (socket.gaierror, "no machine of that name is known"),
)
"""What a network says most often, in words."""


def why(error: Exception, tls: bool) -> str:
    """What went wrong on the way to the broker, for people; ``tls``: it was to be spoken."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not to be trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"the broker does not answer in TLS ({_said(error)}): is this its TLS port?"
    if isinstance(error, ConnectionResetError) and tls:
        return "the broker hung up on TLS: is this its TLS port?"
    for kind, words in PLAIN:
        if isinstance(error, kind):
            return words
    if isinstance(error, OSError) and error.strerror is None:
        return str(error)
    return f"{type(error).__name__}: {error}"


def _said(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or "not understood"
    return error.strerror or type(error).__name__
