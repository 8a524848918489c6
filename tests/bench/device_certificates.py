"""Certificates of thousands of devices, as certs/generate makes them one by one: the same key, names and uses, a hundred times as fast."""

import os
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS = 730
# A hand-over to another process costs more than a certificate.
AT_A_TIME = 200


def make(certs: Path, names: list, tenant: str = "demo") -> None:
    """NAME.crt and NAME.key in the folder, signed by the devices' authority that is there."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        parts = [pool.submit(_issue_all, certs, names[n : n + AT_A_TIME], tenant) for n in range(0, len(names), AT_A_TIME)]
    for each in parts:
        each.result()


def _issue_all(certs: Path, names: list, tenant: str) -> None:
    authority = x509.load_pem_x509_certificate((certs / "devices-ca.crt").read_bytes())
    signer = serialization.load_pem_private_key((certs / "devices-ca.key").read_bytes(), None)
    for name in names:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(name, tenant, key.public_key(), authority).sign(signer, hashes.SHA256())
        (certs / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        file = os.open(certs / f"{name}.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(file, "wb") as out:
            out.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def _certificate(name: str, tenant: str, public_key, authority: x509.Certificate) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, tenant), x509.NameAttribute(NameOID.COMMON_NAME, name)])
    uses = {use: use == "digital_signature" for use in (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
        "encipher_only", "decipher_only")}  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**uses), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
    )
