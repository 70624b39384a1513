"""The parts of ./Deploy/demo that a shell is no good at: a TLS front, two pictures, and a story told through the API."""

import argparse
import asyncio
import json
import math
import os
import random
import ssl
import struct
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zlib

# --- front: ends TLS and passes the bytes on to the instance whose name was asked for -------------------------------


async def pump(reader, writer):
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


async def front(arguments):
    ports = dict(pair.split("=") for pair in arguments.instances)
    contexts = {}
    for name in ports:
        contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexts[name].load_cert_chain(f"{arguments.tls}/{name}.pem", f"{arguments.tls}/{name}.key")
    first = next(iter(contexts.values()))

    def choose(connection, name, _):
        if name not in contexts:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = contexts[name]
        connection.asked_for = name

    first.sni_callback = choose

    async def serve(reader, writer):
        name = getattr(writer.get_extra_info("ssl_object"), "asked_for", None)
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", ports[name])
        except (KeyError, OSError):
            writer.close()
            return
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", arguments.port, ssl=first)
    await server.serve_forever()


# --- pictures -------------------------------------------------------------------------------------------------------


def png(width, height, pixel, chunks=()):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"".join(bytes(pixel(x, y)) for x in range(width)) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"".join(chunk(kind, data) for kind, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def painted(width=720, height=540):
    """A study in broad strokes: washes of four colours, and paper that shows through."""
    chance = random.Random(7)
    paints = [(196, 138, 62), (38, 62, 92), (122, 52, 40), (88, 104, 74)]
    strokes = [
        (chance.uniform(0, width), chance.uniform(0, height), chance.uniform(40, 190), chance.uniform(0, math.pi),
         chance.choice(paints))
        for _ in range(9)
    ]

    def pixel(x, y):
        grain = chance.gauss(0, 5)
        colour = [236 - 40 * y / height + grain, 226 - 25 * x / width + grain, 205 + grain]
        for left, top, size, angle, paint in strokes:
            along = (x - left) * math.cos(angle) + (y - top) * math.sin(angle)
            across = (y - top) * math.cos(angle) - (x - left) * math.sin(angle)
            wet = 1 - (along / (2.2 * size)) ** 2 - (across / (0.35 * size)) ** 2
            if wet > 0:
                cover = min(0.85, wet * 1.6)
                colour = [(1 - cover) * old + cover * (new + grain) for old, new in zip(colour, paint)]
        return [max(0, min(255, int(value))) for value in colour]

    return png(width, height, pixel)


def generated(width=512, height=512):
    """A plain picture whose file says twice what made it, as the programs of the trade write it."""
    parameters = (
        "lighthouse at dusk, oil on canvas\nNegative prompt: blurry\n"
        "Steps: 28, Sampler: Euler a, CFG scale: 7, Seed: 1234567890, Size: 512x512, Model: demonstration, Version: v1.9.0"
    )
    source = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        f' Iptc4xmpExt:DigitalSourceType="{source}"/></rdf:RDF></x:xmpmeta>'
    )
    chunks = [
        (b"tEXt", b"parameters\0" + parameters.encode("latin-1")),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp.encode()),
    ]

    def pixel(x, y):
        glow = max(0.0, 1 - math.hypot(x - 330, y - 180) / 300)
        tower = abs(x - 330) < 14 + y / 40 and 180 < y < 430
        sea = y > 400
        base = (30, 50 + y // 12, 90 + y // 6) if not sea else (12, 30 + (x ^ y) % 16, 60)
        return (225, 215, 200) if tower else [min(255, int(value + 150 * glow)) for value in base]

    return png(width, height, pixel, chunks)


# --- story ----------------------------------------------------------------------------------------------------------


class Failure(Exception):
    pass


class Instance:
    def __init__(self, base, username, token, context):
        self.base, self.username, self.token, self.context = base, username, token, context

    def call(self, method, path, query=None, fields=None, file=None):
        url = self.base + path + ("?" + urllib.parse.urlencode(query, doseq=True) if query else "")
        request = urllib.request.Request(url, method=method, headers={"Authorization": f"Bearer {self.token}"})
        if file:
            edge = uuid.uuid4().hex
            parts = [f'--{edge}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
            head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{file[0]}"\r\n'
            head += "Content-Type: image/png\r\n\r\n"
            request.data = "".join(parts).encode() + head.encode() + file[1] + f"\r\n--{edge}--\r\n".encode()
            request.add_header("Content-Type", f"multipart/form-data; boundary={edge}")
        elif fields is not None:
            request.data = json.dumps(fields).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise Failure(f"{method} {path}: {error.code} {error.read(500).decode(errors='replace')}") from error
        except (urllib.error.URLError, ConnectionError, json.JSONDecodeError) as error:
            raise Failure(f"{method} {url}: {error}") from error


def until(what, ask, seconds=60):
    """Asks until the answer is there: what one instance sends, the other has in its own time."""
    end = time.monotonic() + seconds
    failure = None
    while time.monotonic() < end:
        try:
            if answer := ask():
                return answer
        except Failure as error:
            failure = error
        time.sleep(0.3)
    raise Failure(f"{what} did not happen within {seconds} s" + (f" ({failure})" if failure else ""))


def say(text):
    print(f"==> {text}", flush=True)


def is_decided(picture):
    """Whether a received picture was fetched and decided: until then a card that says so stands in its place."""
    return bool(picture.get("url")) and not picture["url"].endswith("placeholder-waiting.png")


def show_status(where, status):
    print(f"    {where}: {status['uri']}")
    for picture in status["media_attachments"]:
        print(f"      picture     {picture.get('url')}")
        print(f"      alt text    {picture.get('description')}")
        assessment = picture.get("ai_assessment") or status.get("ai_assessment")
        if not assessment:
            print("      assessment  none shown: nothing was found")
            continue
        for line in json.dumps(assessment, indent=2, ensure_ascii=False).splitlines():
            print(f"      {line}")


def post(artist, name, picture, description, text):
    media = artist.call("POST", "/api/v2/media", fields={"description": description}, file=(name, picture))
    until(f"the processing of {name}", lambda: artist.call("GET", f"/api/v1/media/{media['id']}").get("url"))
    return artist.call("POST", "/api/v1/statuses", fields={"status": text, "media_ids": [media["id"]]})


def story(arguments):
    context = ssl.create_default_context(cafile=arguments.ca)
    artist, follower = (Instance(*who, context) for who in (arguments.artist, arguments.follower))
    for instance in (artist, follower):
        until(f"the start of {instance.base}", lambda: instance.call("GET", "/api/v1/accounts/verify_credentials"))

    handle = f"{artist.username}@{artist.base.removeprefix('https://')}"
    say(f"{follower.username} on {follower.base} looks up {handle} and follows")
    query = {"q": f"@{handle}", "type": "accounts", "resolve": "true"}
    found = until("finding the artist", lambda: follower.call("GET", "/api/v2/search", query=query)["accounts"])[0]
    follower.call("POST", f"/api/v1/accounts/{found['id']}/follow")
    relationship = {"id[]": found["id"]}
    until("the acceptance", lambda: follower.call("GET", "/api/v1/accounts/relationships", query=relationship)[0]["following"])
    print(f"    {found['url']} accepted")

    posts = []
    for name, picture, description, text in (
        ("painted.png", painted(), "A study in broad strokes on warm paper", "Study in four colours, an hour before breakfast."),
        ("generated.png", generated(), "A lighthouse at dusk", "A lighthouse, made by a generator."),
    ):
        with open(os.path.join(arguments.pictures, name), "wb") as file:
            file.write(picture)
        say(f"{artist.username} posts {name}")
        posts.append(post(artist, name, picture, description, text))

    for status in posts:
        def arrived():
            home = follower.call("GET", "/api/v1/timelines/home")
            here = next((item for item in home if item["uri"] == status["uri"]), None)
            # Until the picture was fetched and looked at, the post is there without it.
            return here if here and all(is_decided(item) for item in here["media_attachments"]) else None

        received = until(f"the arrival of {status['uri']}", arrived)
        say("What each side has of it")
        show_status(artist.base, artist.call("GET", f"/api/v1/statuses/{status['id']}"))
        show_status(follower.base, follower.call("GET", f"/api/v1/statuses/{received['id']}"))


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("front")
    one.add_argument("--port", type=int, required=True)
    one.add_argument("--tls", required=True)
    one.add_argument("instances", nargs="+", metavar="NAME=PORT")
    two = commands.add_parser("story")
    two.add_argument("--ca", required=True)
    two.add_argument("--pictures", required=True)
    for role in ("--artist", "--follower"):
        two.add_argument(role, nargs=3, required=True, metavar=("BASE", "NAME", "TOKEN"))
    arguments = parser.parse_args()
    if arguments.command == "front":
        asyncio.run(front(arguments))
        return
    try:
        story(arguments)
    except Failure as failure:
        sys.exit(f"error: {failure}")


if __name__ == "__main__":
    main()
