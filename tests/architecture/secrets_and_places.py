"""What must never be in git: keys, certificates, one machine's paths, hosts that nobody else knows."""

import re

KEY_FILES = re.compile(r"\.(key|crt|cer|pem|der|p12|pfx|jks|csr|srl|keytab)$|(^|/)(id_rsa|id_ed25519|stack\.env|\.netrc)$")
# Lines of PEM, not the words of a pattern that looks for them.
PEM = re.compile(r"^\s*-----BEGIN [A-Z ]*(PRIVATE KEY|CERTIFICATE)[A-Z ]*-----\s*$", re.MULTILINE)
MACHINE_PATH = re.compile(r"(?<![\w.$}/-])/(?:home|Users|work|mnt|media)/[A-Za-z0-9._-]+|(?<![\w.$}/-])/root/[A-Za-z0-9.]")
URL = re.compile(r"\b(?:https?|mqtts?|git|ssh|ftp)://(?:[^\s/@\"'`<>)]*@)?([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")

# Everybody's machine, names reserved for examples (RFC 2606 and 6761), and the public places that we name.
HOSTS = re.compile(
    r"127\.\d+\.\d+\.\d+|0\.0\.0\.0|localhost|(.+\.)?example(\.(org|com|net))?|.+\.(test|invalid|localhost|local)"
    r"|(www\.)?apache\.org|maven\.apache\.org|repo\.maven\.apache\.org|kafka\.apache\.org"
    r"|www\.w3\.org|spec\.openapis\.org|json-schema\.org|cloudevents\.io|www\.rfc-editor\.org|datatracker\.ietf\.org"
    r"|github\.com|keepachangelog\.com|semver\.org|mosquitto\.org|docs\.oasis-open\.org|aws\.amazon\.com|www\.isthe\.com|eclipse\.dev"
)


def key_files(texts: dict) -> list:
    wrong = [f"{path}: keys and certificates are never in git" for path in texts if KEY_FILES.search(path)]
    return wrong + [f"{path}: holds a key or a certificate" for path, text in texts.items() if PEM.search(text)]


def machine_paths(texts: dict) -> list:
    return [f"{path}: {found}" for path, text in texts.items() for found in MACHINE_PATH.findall(text)]


def unknown_hosts(texts: dict) -> list:
    return [
        f"{path}: {host} is not a host that everybody knows"
        for path, text in texts.items()
        for host in URL.findall(text)
        if not HOSTS.fullmatch(host.lower())
    ]
