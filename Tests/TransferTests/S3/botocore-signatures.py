#!/usr/bin/env python3
"""Makes Tests/TransferTests/S3/BotocoreSignatures.swift: what botocore's own signer says about a range of requests.

    python3 -m venv venv && venv/bin/pip install botocore
    venv/bin/python Tests/TransferTests/S3/botocore-signatures.py > Tests/TransferTests/S3/BotocoreSignatures.swift
"""
import datetime
import random
import urllib.parse

import botocore
import botocore.auth
import botocore.compat
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SAFE = "-._~"
random.seed(20260101)

keys = [
    "test.txt", "in/a(b)=c.wav", "out/clip 1+é.mp4", "a//b", "a/./b/../c", "ключ/файл.mp4", "日本/語.mkv", "~tilde-_.x",
    "100%.mp4", "semi;colon,comma", "quote'\"`.txt", "a&b?c#d", " lead and trail ", "emoji😀.png", "colon:@at$", "tab\there",
    "x" * 200,
]
queries = [
    [], [("uploads", "")], [("partNumber", "2"), ("uploadId", "A/b+c==")], [("uploadId", "x y"), ("partNumber", "10")],
    [("list-type", "2"), ("prefix", "a b/é"), ("max-keys", "1000"), ("encoding-type", "url")],
    [("continuation-token", "1/+=="), ("list-type", "2")], [("a", "2"), ("a", "1"), ("A", "3")],
]
headers = [
    {}, {"Range": "bytes=0-9"}, {"If-Match": '"9b2cf535f27731c974343645a3985328"', "Range": "bytes=0-1048575"},
    {"Content-Type": "video/mp4", "Content-MD5": "XrY7u+Ae7tCTyyK7j1rNww=="},
    {"x-amz-meta-title": "  two   blanks  ", "x-amz-meta-b": "1", "x-amz-checksum-crc32c": "yZRlqg=="},
    {"If-None-Match": "*", "Cache-Control": "max-age=60, public", "Content-Disposition": 'attachment; filename="a b"'},
]
hosts = ["examplebucket.s3.amazonaws.com", "127.0.0.1:9000", "acct0123456789.r2.cloudflarestorage.com"]
regions = ["us-east-1", "auto", "eu-central-1"]
tokens = [None, None, "FwoGZXIvYXdzEJr//////////wEaDH+/=token"]


def quoted(text):
    out = ""
    for c in text:
        out += {'"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n"}.get(c, c)
    return f'"{out}"'


def pairs(items):
    return "[" + ", ".join(f"({quoted(a)}, {quoted(b)})" for a, b in items) + "]"


class Clock(datetime.datetime):
    """Stands still."""
    moment = datetime.datetime(2013, 5, 24)

    @classmethod
    def utcnow(cls):
        return cls.moment

    @classmethod
    def now(cls, tz=None):
        return cls.moment if tz is None else cls.moment.replace(tzinfo=datetime.timezone.utc).astimezone(tz)


def case(number):
    pick = lambda items: items[number % len(items)] if number < len(items) else random.choice(items)
    key, query, extra = pick(keys), pick(queries), pick(headers)
    host, region, token = random.choice(hosts), random.choice(regions), random.choice(tokens)
    method = random.choice(["GET", "PUT", "POST", "HEAD", "DELETE"])
    body = random.choice([b"", b"Welcome to Amazon S3.", b"\x00\xff" * 40]) if method in ("PUT", "POST") else b""
    scheme = "http" if host.startswith("127.") else "https"
    # Botocore asks for no hash where TLS protects the body and there is another checksum.
    unsigned = scheme == "https" and body != b""
    moment = datetime.datetime(2013, 5, 24) + datetime.timedelta(seconds=random.randrange(500_000_000))
    Clock.moment = moment
    path = "/media/" + urllib.parse.quote(key, safe=SAFE + "/")
    url = f"{scheme}://{host}{path}"
    if query:
        url += "?" + "&".join(f"{urllib.parse.quote(a, safe=SAFE)}={urllib.parse.quote(b, safe=SAFE)}" for a, b in query)
    credentials = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", token)

    request = AWSRequest(method=method, url=url, headers=dict(extra), data=body)
    request.context["client_config"] = botocore.config.Config(s3={"payload_signing_enabled": not unsigned})
    request.context["payload_signing_enabled"] = not unsigned
    request.context["has_streaming_input"] = unsigned
    signer = botocore.auth.S3SigV4Auth(credentials, "s3", region)
    signer.add_auth(request)
    authorization = request.headers["Authorization"]
    signature = authorization.rsplit("Signature=", 1)[1]
    signed = authorization.split("SignedHeaders=", 1)[1].split(",")[0]
    payload = request.headers["X-Amz-Content-SHA256"]
    assert (payload == "UNSIGNED-PAYLOAD") == unsigned, payload

    presigned = AWSRequest(method=method, url=url, headers={})
    botocore.auth.S3SigV4QueryAuth(credentials, "s3", region, expires=3600).add_auth(presigned)
    # Botocore keeps only one of several parameters of a name here.
    is_plain = len(dict(query)) == len(query)
    presigned_signature = presigned.url.rsplit("X-Amz-Signature=", 1)[1] if is_plain else None

    seconds = int(moment.replace(tzinfo=datetime.timezone.utc).timestamp())
    items = sorted(extra.items())
    return "\n".join([
        "    .init(",
        f"        method: {quoted(method)}, endpoint: {quoted(scheme + '://' + host)}, key: {quoted(key)},",
        f"        query: {pairs(query)},",
        f"        headers: {pairs(items)},",
        f"        body: {list(body)}, isUnsigned: {str(unsigned).lower()}, region: {quoted(region)}, "
        f"token: {quoted(token) if token else 'nil'},",
        f"        time: {seconds}, signedHeaders: {quoted(signed)},",
        f"        signature: {quoted(signature)},",
        f"        presigned: {quoted(presigned_signature) if presigned_signature else 'nil'}),",
    ])


for module in (botocore.auth, botocore.compat):
    if hasattr(module, "datetime"):
        module.datetime = type("Module", (), {"datetime": Clock, "timezone": datetime.timezone}) \
            if not isinstance(module.datetime, type) else Clock
if hasattr(botocore.auth, "get_current_datetime"):
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: Clock.moment

print(f"// Made by Tests/TransferTests/S3/botocore-signatures.py with botocore {botocore.__version__}. Not to be edited.\n// swift-format-ignore-file\n")
print("""/// A request, and its signatures by botocore.
struct BotocoreSignature: Sendable {
    var method: String
    var endpoint: String
    var key: String
    var query: [(String, String)]
    var headers: [(String, String)]
    var body: [UInt8]
    var isUnsigned: Bool
    var region: String
    var token: String?
    /// Seconds since 1970.
    var time: Double
    var signedHeaders: String
    var signature: String
    /// Of the URL alone, good for an hour.
    var presigned: String?
}

let botocoreSignatures: [BotocoreSignature] = [""")
for number in range(60):
    print(case(number))
print("]")
