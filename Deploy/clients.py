"""Two clients that other people wrote, driven against a running instance as a person at a desk would drive them.

usage: clients.py BASE NAME PASSWORD OTHER OTHER_PASSWORD

NAME and OTHER have accounts there. Every step says what a client asked for; one that fails says what came instead.
"""

import html
import io
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import zlib
from datetime import datetime, timedelta, timezone

import requests
from mastodon import Mastodon, StreamListener

base, name, password, other, other_password = sys.argv[1:6]
everything = ["read", "write", "follow", "push"]
failed = []


def step(what, body, check=lambda found: True):
    """Runs one step. Nil when it failed: what builds on it fails too, and says so."""
    try:
        found = body()
        if check(found):
            print(f"ok    {what}", flush=True)
            return found
        print(f"FAIL  {what}: {str(found)[:400]}", flush=True)
    except Exception as error:  # whatever a client throws is the finding
        print(f"FAIL  {what}: {type(error).__name__}: {str(error)[:400]}", flush=True)
    failed.append(what)
    return None


def eventually(look, seconds=15):
    """What `look` finds, as soon as it finds something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    return None


def hidden(page):
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
    return {key: html.unescape(value) for key, value in fields}


def consent(url, who, secret):
    """What a person at a browser does: signs in, reads what the app wants, lets it in, and takes the code along."""
    browser = requests.Session()
    page = browser.get(url)
    if 'name="password"' in page.text:
        page = browser.post(base + "/login", data={**hidden(page.text), "name": who, "password": secret})
    form = page.text[page.text.index('action="/oauth/authorize"'):]
    answer = browser.post(
        base + "/oauth/authorize", data={**hidden(form), "decision": "allow"}, allow_redirects=False)
    target = answer.headers["location"]
    code = urllib.parse.parse_qs(urllib.parse.urlparse(target).query)["code"][0]
    if target.startswith("/oauth/authorize/native") and code not in browser.get(base + target).text:
        raise RuntimeError("the page does not show the code")
    return code


def png(shade):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"".join(bytes((x * 4, y * 5, shade)) for x in range(64)) for y in range(48))
    head = struct.pack(">IIBBBBB", 64, 48, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


# --- Mastodon.py ----------------------------------------------------------------------------------------------------


def sign_in(who, secret):
    key, word = Mastodon.create_app("Mastodon.py", scopes=everything, api_base_url=base)
    # "created" makes the library ask for the version and refuse what it takes for older than each call.
    client = Mastodon(
        client_id=key, client_secret=word, api_base_url=base, version_check_mode="created", ratelimit_method="throw")
    address = client.auth_request_url(scopes=everything, state="a b", allow_http=True)
    client.log_in(code=consent(address, who, secret), scopes=everything, allow_http=True)
    return client


def posts(mine, theirs, me):
    pictures = step("two pictures are uploaded with descriptions and a focal point", lambda: [
        mine.media_post(io.BytesIO(png(40)), mime_type="image/png", description="a gradient", focus=(0.1, -0.2)),
        mine.media_post(io.BytesIO(png(200)), mime_type="image/png", description="another gradient"),
    ], lambda found: found[0].meta.focus.x == 0.1)
    step("a description is changed before posting",
         lambda: mine.media_update(pictures[1], description="its twin"), lambda found: found.description == "its twin")
    post = step(
        "a post with both pictures",
        lambda: mine.status_post(f"from Mastodon.py @{other} #clientwork", media_ids=pictures, language="en",
                                 idempotency_key="clients-1"),
        lambda found: [x.description for x in found.media_attachments] == ["a gradient", "its twin"])
    step("the same idempotency key gives the same post",
         lambda: mine.status_post("again", idempotency_key="clients-1"), lambda found: found.id == post.id)
    step("an edit keeps the pictures and changes a description",
         lambda: mine.status_update(
             post, "edited #clientwork", spoiler_text="wet",
             # The library takes the pictures it is told of for all of them.
             media_attributes=[
                 mine.generate_media_edit_attributes(post.media_attachments[0], description="ink"),
                 mine.generate_media_edit_attributes(post.media_attachments[1]),
             ]),
         lambda found: found.edited_at and [x.description for x in found.media_attachments] == ["ink", "its twin"])
    step("history and source", lambda: (mine.status_history(post), mine.status_source(post)),
         lambda found: len(found[0]) == 2 and found[1].text == "edited #clientwork")
    answer = step("a reply", lambda: theirs.status_reply(theirs.status(post.id), "an answer"))
    step("the thread", lambda: mine.status_context(post), lambda found: found.descendants[0].id == answer.id)
    step("favourite", lambda: theirs.status_favourite(post), lambda found: found.favourited)
    step("who favourited", lambda: mine.status_favourited_by(post), lambda found: found[0].username == other)
    step("boost", lambda: theirs.status_reblog(post), lambda found: found.reblog.id == post.id)
    step("bookmark", lambda: theirs.status_bookmark(post), lambda found: found.bookmarked)
    step("bookmarks and favourites", lambda: (theirs.bookmarks(), theirs.favourites()),
         lambda found: found[0][0].id == post.id and found[1][0].id == post.id)
    step("unbookmark, unfavourite, unboost",
         lambda: (theirs.status_unbookmark(post), theirs.status_unfavourite(post), theirs.status_unreblog(post)),
         lambda found: not found[0].bookmarked and not found[1].favourited)
    step("many posts by id", lambda: mine.statuses([post.id, answer.id]), lambda found: len(found) == 2)
    return post


def people(mine, theirs, me, them):
    step("follow", lambda: theirs.account_follow(me), lambda found: found.following)
    step("relationships", lambda: theirs.account_relationships([me.id]), lambda found: found[0].following)
    step("followers and following", lambda: (mine.account_followers(me), theirs.account_following(them)),
         lambda found: found[0][0].id == them.id and found[1][0].id == me.id)
    step("search", lambda: mine.search_v2(other, result_type="accounts"),
         lambda found: found.accounts[0].username == other)
    step("account search and lookup", lambda: (mine.account_search(other[:3]), mine.account_lookup(other)),
         lambda found: found[0][0].id == found[1].id)
    step("mute and unmute", lambda: (theirs.account_mute(me), theirs.mutes(), theirs.account_unmute(me)),
         lambda found: found[0].muting and found[1][0].id == me.id and not found[2].muting)
    step("a private note", lambda: theirs.account_note_set(me, "met in Lyon"), lambda found: found.note == "met in Lyon")
    step("followers one knows too", lambda: mine.account_familiar_followers([them.id]),
         lambda found: found[0].id == them.id)


def timelines(mine, theirs):
    step("home, local and tag", lambda: (
        theirs.timeline_home(), theirs.timeline_local(), theirs.timeline_hashtag("clientwork")),
         lambda found: all(len(part) > 0 for part in found))
    page = step("a page of one", lambda: mine.timeline_home(limit=1), lambda found: len(found) == 1)
    step("the next page by its link", lambda: mine.fetch_next(page), lambda found: found[0].id != page[0].id)
    step("the way back by its link", lambda: mine.fetch_previous(mine.fetch_next(page)),
         lambda found: found[0].id == page[0].id)
    step("markers", lambda: (mine.markers_set(["home"], [page[0]]), mine.markers_get(["home"])),
         lambda found: str(found[1]["home"].last_read_id) == str(page[0].id))


def polls(mine, theirs):
    asked = step("a poll", lambda: mine.status_post("which?", poll=mine.make_poll(["red", "blue"], 600, multiple=True)),
                 lambda found: found.poll.multiple)
    step("a vote", lambda: theirs.poll_vote(asked.poll, [0, 1]),
         lambda found: found.votes_count == 2 and found.voters_count == 1 and found.own_votes == [0, 1])
    step("the poll is counted", lambda: mine.poll(asked.poll), lambda found: found.options[1].votes_count == 1)


def lists(theirs, me):
    made = step("a list", lambda: theirs.list_create("Ink", replies_policy="none", exclusive=False),
                lambda found: found.replies_policy == "none")
    step("its members and timeline", lambda: (
        theirs.list_accounts_add(made, [me]), theirs.list_accounts(made), theirs.timeline_list(made)),
         lambda found: found[1][0].id == me.id)
    step("lists somebody is on", lambda: theirs.account_lists(me), lambda found: found[0].id == made.id)
    step("a list is renamed", lambda: theirs.list_update(made, "Paper", exclusive=True),
         lambda found: found.title == "Paper" and found.exclusive)
    step("a list ends", lambda: (theirs.list_delete(made), theirs.lists()), lambda found: found[1] == [])


def filters(mine, theirs):
    made = step("a filter with a keyword",
                lambda: mine.create_filter_v2("Spiders", ["home", "public"], "warn", keywords_attributes=[
                    {"keyword": "tarantula", "whole_word": True}]),
                lambda found: found.keywords[0].whole_word and found.filter_action == "warn")
    scary = step("a post that it matches", lambda: theirs.status_post("a Tarantula in ink"))
    plain = step("a post that it does not match", lambda: theirs.status_post("tarantulas in the plural"))
    step("the match is told with the post", lambda: (mine.status(scary.id), mine.status(plain.id)),
         lambda found: found[0].filtered[0].keyword_matches == ["tarantula"] and found[1].filtered == [])
    word = step("another keyword", lambda: mine.add_filter_keyword_v2(made, "web", whole_word=False),
                lambda found: found.keyword == "web")
    step("keywords are listed", lambda: mine.filter_keywords_v2(made), lambda found: len(found) == 2)
    step("a keyword goes", lambda: (mine.delete_filter_keyword_v2(word), mine.filter_v2(made)),
         lambda found: len(found[1].keywords) == 1)
    single = step("a single post", lambda: mine.add_filter_status_v2(made, plain), lambda found: found.status_id)
    step("it is filtered by its id", lambda: mine.status(plain.id),
         lambda found: [str(x) for x in found.filtered[0].status_matches] == [str(plain.id)])
    step("single posts are listed and go", lambda: (
        mine.filter_statuses_v2(made), mine.delete_filter_status_v2(single), mine.filter_statuses_v2(made)),
         lambda found: len(found[0]) == 1 and found[2] == [])
    step("a filter is changed", lambda: mine.update_filter_v2(made, title="Legs", filter_action="hide"),
         lambda found: found.title == "Legs" and found.filter_action == "hide")
    step("filters of the first version", lambda: mine.filters(), lambda found: found[0].phrase == "tarantula")
    step("filters end", lambda: (mine.delete_filter_v2(made), mine.filters_v2()), lambda found: found[1] == [])


def tags(mine, theirs):
    step("a tag is followed", lambda: mine.tag_follow("Aquatint"), lambda found: found.following)
    step("followed tags", lambda: mine.followed_tags(), lambda found: found[0].name == "aquatint")
    strange = step("a stranger uses it", lambda: theirs.status_post("plates drying #aquatint"))
    step("home shows it", lambda: mine.timeline_home(), lambda found: strange.id in [x.id for x in found])
    step("a tag with its week", lambda: mine.tag("aquatint"),
         lambda found: len(found.history) == 7 and int(found.history[0].uses) >= 1)
    step("a tag is no longer followed", lambda: (mine.tag_unfollow("aquatint"), mine.timeline_home()),
         lambda found: not found[0].following and strange.id not in [x.id for x in found[1]])


def scheduled(mine):
    later = datetime.now(timezone.utc) + timedelta(hours=2)
    picture = mine.media_post(io.BytesIO(png(90)), mime_type="image/png", description="tomorrow's")
    made = step("a post for later", lambda: mine.status_post("for later", scheduled_at=later, media_ids=[picture]),
                lambda found: found.params.text == "for later" and len(found.media_attachments) == 1)
    step("posts for later", lambda: (mine.scheduled_statuses(), mine.scheduled_status(made)),
         lambda found: found[0][0].id == made.id and found[1].id == made.id)
    step("another time", lambda: mine.scheduled_status_update(made, later + timedelta(hours=1)),
         lambda found: abs((found.scheduled_at - later).total_seconds() - 3600) < 1)
    step("no later post after all", lambda: (mine.scheduled_status_delete(made), mine.scheduled_statuses()),
         lambda found: found[1] == [])


def notifications(mine, theirs, post):
    step("how many are unread", lambda: (
        mine.notifications_unread_count(), mine.unread_grouped_notifications_count()),
         lambda found: found[0].count >= 2 and found[1] >= 2)
    step("in groups", lambda: mine.grouped_notifications(limit=10),
         lambda found: {"mention", "follow"} <= {x.type for x in found.notification_groups}
         and found.accounts and found.statuses)
    groups = mine.grouped_notifications().notification_groups
    step("one group and its people",
         lambda: (mine.grouped_notification(groups[0].group_key), mine.grouped_notification_accounts(groups[0].group_key)),
         lambda found: found[1][0].username == other)
    step("a policy for strangers", lambda: (
        mine.update_notifications_policy(for_new_accounts="filter"), mine.notifications_policy()),
         lambda found: found[1].for_new_accounts == "filter")
    step("it is lifted", lambda: mine.update_notifications_policy(for_new_accounts="accept"),
         lambda found: found.for_new_accounts == "accept")
    step("requests", lambda: (mine.notification_requests(), mine.notifications_merged()), lambda found: found[0] == [])
    found = step("notifications", lambda: mine.notifications(),
                 lambda found: {"mention", "follow"} <= {x.type for x in found})
    step("only mentions", lambda: mine.notifications(types=["mention"]),
         lambda found: {x.type for x in found} == {"mention"})
    step("one notification", lambda: mine.notifications(id=found[0].id))
    step("one is dismissed", lambda: (mine.notifications_dismiss(found[0]), mine.notifications()),
         lambda rest: found[0].id not in [x.id for x in rest[1]])


class Ear(StreamListener):
    def __init__(self):
        self.heard = []

    def on_any_event(self, name, data, *rest):
        self.heard.append((name, data))


def streaming(mine, theirs):
    ear = Ear()
    stream = step("a stream of one's own", lambda: mine.stream_user(ear, run_async=True, reconnect_async=False))
    if not stream:
        return
    step("it is open", lambda: eventually(stream.is_receiving))
    made = theirs.status_post(f"@{name} are you there?")
    step("a mention is heard as it comes",
         lambda: eventually(lambda: [x for x in ear.heard if x[0] == "notification" and x[1].status.id == made.id]))
    own = mine.status_post("here")
    step("an own post is heard", lambda: eventually(lambda: [x for x in ear.heard if x[0] == "update" and x[1].id == own.id]))
    mine.status_update(own, "over here")
    step("an edit is heard", lambda: eventually(lambda: [x for x in ear.heard if x[0].replace("_", ".") == "status.update"]))
    mine.status_delete(own)
    step("a deletion is heard",
         lambda: eventually(lambda: [x for x in ear.heard if x[0] == "delete" and str(x[1]) == str(own.id)]))
    stream.close()


def quiet(mine):
    """What a client asks for at start, and must get an answer to whether or not there is anything."""
    for what in [
        "preferences", "custom_emojis", "announcements", "filters_v2", "conversations", "blocks", "follow_requests",
        "scheduled_statuses", "featured_tags", "followed_tags", "endorsements", "suggestions_v2", "trending_tags",
        "trending_statuses", "trending_links", "instance_rules", "instance_peers", "instance_activity",
        "instance_domain_blocks", "instance_extended_description", "notifications_policy", "notification_requests",
        "domain_blocks", "directory", "instance_health", "instance_nodeinfo", "instance_translation_languages",
    ]:
        step(what.replace("_", " "), lambda: (getattr(mine, what)(),))


def mastodon_py():
    mine = step("Mastodon.py signs in", lambda: sign_in(name, password))
    theirs = step("Mastodon.py signs in as another", lambda: sign_in(other, other_password))
    if not mine or not theirs:
        return
    me = step("own account", lambda: mine.account_verify_credentials(), lambda found: found.username == name)
    them = theirs.account_verify_credentials()
    step("own application", lambda: mine.app_verify_credentials(), lambda found: found.name == "Mastodon.py")
    step("both instance documents", lambda: (mine.instance_v1(), mine.instance_v2()),
         lambda found: found[1].configuration.polls.max_options == 4)
    post = posts(mine, theirs, me)
    people(mine, theirs, me, them)
    polls(mine, theirs)
    timelines(mine, theirs)
    lists(theirs, me)
    filters(mine, theirs)
    tags(mine, theirs)
    scheduled(mine)
    notifications(mine, theirs, post)
    quiet(mine)
    streaming(mine, theirs)
    step("delete and redraft", lambda: mine.status_delete(post),
         lambda found: found.text == "edited #clientwork" and len(found.media_attachments) == 2)
    step("clear notifications", lambda: (mine.notifications_clear(), mine.notifications()),
         lambda found: found[1] == [])
    step("sign out", lambda: theirs.revoke_access_token(allow_http=True) or True)


# --- toot -----------------------------------------------------------------------------------------------------------

settings = {**os.environ, "XDG_CONFIG_HOME": tempfile.mkdtemp(), "NO_COLOR": "1", "BROWSER": "true"}
program = os.path.join(os.path.dirname(sys.executable), "toot")


def toot(*arguments):
    done = subprocess.run(
        [program, "--no-color", *arguments], env=settings, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        timeout=60)
    if done.returncode:
        raise RuntimeError(done.stdout[-300:] + done.stderr[-600:])
    return done.stdout


def toot_login():
    """It prints an address, and waits for the code that the page behind it shows."""
    running = subprocess.Popen(
        [program, "--no-color", "login", "-i", base], env=settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)
    running.stdin.write("\n")
    running.stdin.flush()
    said = ""
    for line in running.stdout:
        said += line
        address = re.search(re.escape(base) + r"/oauth/authorize\S*", said)
        if address:
            running.stdin.write(consent(address.group(0), name, password) + "\n")
            running.stdin.flush()
            running.stdin.close()
            break
    said += running.stdout.read()
    if running.wait(30):
        raise RuntimeError(said)
    return said


def toot_py():
    if not step("toot signs in", toot_login):
        return
    step("toot whoami", lambda: toot("whoami"), lambda found: name in found)
    step("toot instance", lambda: toot("instance"))
    with tempfile.NamedTemporaryFile(suffix=".png") as picture:
        picture.write(png(120))
        picture.flush()
        made = step("toot post with a picture",
                    lambda: json.loads(toot("post", "from toot #clientwork", "-m", picture.name, "-d", "a gradient",
                                            "--json")),
                    lambda found: found["media_attachments"][0]["description"] == "a gradient")
    step("toot post with a poll", lambda: toot(
        "post", "toot asks", "--poll-option", "a", "--poll-option", "b", "--poll-expires-in", "10m"))
    step("toot post for later", lambda: toot("post", "toot later", "--scheduled-in", "2h"))
    key = made["id"] if made else "0"
    for what in ["favourite", "unfavourite", "reblog", "unreblog", "bookmark", "unbookmark", "status", "thread"]:
        step(f"toot {what}", lambda: toot(what, key))
    for what in [
        ("timelines", "home", "--json"), ("timelines", "public", "--json"), ("timelines", "tag", "clientwork", "--json"),
        ("timelines", "account", name, "--json"), ("timelines", "favourites", "--json"), ("notifications",),
        ("bookmarks", "-1"), ("lists", "list"), ("tags", "followed"), ("tags", "featured"),
        ("tags", "follow", "clientwork"), ("tags", "info", "clientwork"), ("tags", "unfollow", "clientwork"),
        ("follow-requests", "list"), ("muted",), ("blocked",), ("following", name), ("followers", name),
    ]:
        step("toot " + " ".join(what[:2]), lambda: toot(*what) or True)
    step("toot search", lambda: toot("search", other), lambda found: other in found)
    for what in ["follow", "mute", "unmute", "unfollow"]:
        step(f"toot {what}", lambda: toot(what, other) or True)
    step("toot lists", lambda: (toot("lists", "create", "Friends"), toot("lists", "list")),
         lambda found: "Friends" in found[1])
    step("toot lists delete", lambda: toot("lists", "delete", "Friends") or True)
    step("toot delete", lambda: toot("delete", key) or True)
    step("toot signs out", lambda: toot("logout", f"{name}@{urllib.parse.urlparse(base).netloc}") or True)


mastodon_py()
toot_py()
print(f"{len(failed)} steps failed" + "".join(f"\n  {what}" for what in failed) if failed else "every step went well")
sys.exit(1 if failed else 0)
