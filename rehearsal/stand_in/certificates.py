"""The stand-in's certificates, made for one run."""

from dataclasses import dataclass
from pathlib import Path

import trustme

from rehearsal.stand_in.hosts import BLOB_SUFFIX, LOGIN_HOST, VAULT_SUFFIX


@dataclass(frozen=True)
class Certificates:
    """A certificate authority and a server certificate, in files."""

    ca_file: Path
    """The certificate authority, for SSL_CERT_FILE."""
    server_file: Path
    """The certificate with its key. It is valid for localhost and for every Azure host that is simulated here."""


def make_certificates(folder: Path) -> Certificates:
    """Make a certificate authority and a server certificate, and write them to `folder`."""
    authority = trustme.CA()
    files = Certificates(folder / "ca.pem", folder / "server.pem")
    authority.cert_pem.write_to_path(files.ca_file)
    server = authority.issue_cert("localhost", f"*{VAULT_SUFFIX}", f"*{BLOB_SUFFIX}", LOGIN_HOST)
    server.private_key_and_cert_chain_pem.write_to_path(files.server_file)
    return files
