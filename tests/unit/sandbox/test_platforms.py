"""Each platform answers in the shape of its public documentation, and its pages hold all once."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from lxml import etree, html
from openpyxl import load_workbook

from crawlers.sandbox.answers import Call, Page, read_query
from crawlers.sandbox.pages import Pages
from crawlers.sandbox.platforms.uploads import COLUMNS
from crawlers.sandbox.sites import NOTICE, SITES
from crawlers.sandbox.town import Town
from crawlers.sandbox.truth import truth

BASE = "http://127.0.0.1:8765"
BEARER = {"authorization": "Bearer word"}
KEY = {"x-goog-api-key": "word"}
NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"

Ask = Callable[..., Page]


@pytest.fixture(scope="module")
def ask(town: Town) -> Ask:
    pages = Pages(town)

    def get(address: str, headers: dict[str, str] | None = None, body: object = None) -> Page:
        path, _, query = address.removeprefix(BASE).partition("?")
        method = "GET" if body is None else "POST"
        data = b"" if body is None else json.dumps(body).encode()
        return pages.answer(Call(path, BASE, read_query(query), headers or {}, method, data))

    return get


@pytest.fixture(scope="module")
def told(town: Town) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in truth(base_url=BASE, town=town):
        found.setdefault(row.source, set()).add(row.external_id)
    return found


def _header(page: Page, name: str) -> str:
    return dict(page.headers).get(name, "")


def _data(page: Page) -> Any:
    assert page.content_type.startswith("application/json")
    return json.loads(page.body)


def test_every_source_has_a_page_that_says_that_it_is_simulated(ask: Ask):
    for site in SITES:
        assert NOTICE in ask(site.home).body.decode(), site.name


def test_mastodon_pages_by_the_link_header(ask: Ask, told: dict[str, set[str]]):
    address, uris = "/masto-lima/api/v1/timelines/tag/ate?limit=40", []
    while address:
        page = ask(address)
        statuses = _data(page)
        uris += [status["uri"] for status in statuses]
        found = re.findall(r'<([^>]+)>; rel="(\w+)"', _header(page, "Link"))
        links = {rel: url for url, rel in found}
        address = links.get("next", "") if statuses else ""
    assert len(uris) == len(set(uris))
    assert set(uris) == told["masto-lima"]
    assert _data(ask("/masto-lima/api/v1/timelines/tag/otro")) == []
    assert len(_data(ask("/masto-lima/api/v1/timelines/public?limit=99"))) == 40
    assert NOTICE in _data(ask("/masto-lima/api/v2/instance"))["description"]


def test_mastodon_statuses_have_their_thread(ask: Ask):
    statuses = _data(ask("/masto-lima/api/v1/timelines/tag/ate?limit=40"))
    reply = next(each for each in statuses if each["in_reply_to_id"])
    context = _data(ask(f"/masto-lima/api/v1/statuses/{reply['in_reply_to_id']}/context"))
    assert context["ancestors"] == []
    assert reply["id"] in {each["id"] for each in context["descendants"]}
    for status in statuses:
        assert {"id", "uri", "url", "content", "created_at", "account", "reblog"} <= set(status)
        assert status["content"].startswith("<p>")
        assert 'class="mention hashtag"' in status["content"]
        assert status["created_at"].endswith(".000Z")
    newer = _data(ask(f"/masto-lima/api/v1/timelines/tag/ate?min_id={statuses[-1]['id']}&limit=5"))
    assert [each["id"] for each in newer] == [each["id"] for each in statuses[-6:-1]]
    assert ask("/masto-lima/api/v1/statuses/1/context").status == 404


def test_youtube_pages_by_tokens_and_wants_a_key(ask: Ask, town: Town):
    root = "/youtube-ate/youtube/v3"
    refused = ask(f"{root}/search?q=Ate")
    assert refused.status == 403
    assert _data(refused)["error"]["errors"][0]["reason"] == "forbidden"
    videos, token = [], ""
    while True:
        answer = _data(ask(f"{root}/search?part=snippet&type=video&q=a&maxResults=10"
                           f"&pageToken={token}", KEY))  # fmt: skip
        assert answer["kind"] == "youtube#searchListResponse"
        videos += [item["id"]["videoId"] for item in answer["items"]]
        token = answer.get("nextPageToken", "")
        if not token:
            break
    assert len(videos) == len(set(videos))
    assert set(videos) == {item.key for item in town.of("youtube-ate")}
    by_key = ask(f"{root}/search?key=word&q=a")
    assert by_key.status == 200


def test_youtube_threads_name_all_replies_and_show_some(ask: Ask, town: Town):
    root = "/youtube-ate/youtube/v3"
    busy = max(town.of("youtube-ate"), key=lambda item: len(item.remarks))
    found, token = [], ""
    while True:
        query = f"part=snippet,replies&videoId={busy.key}&maxResults=20&pageToken={token}"
        answer = _data(ask(f"{root}/commentThreads?{query}", KEY))
        for thread in answer["items"]:
            found.append(thread["snippet"]["topLevelComment"]["id"])
            replies = f"{root}/comments?part=snippet&parentId={thread['id']}&maxResults=100"
            given = [each["id"] for each in _data(ask(replies, KEY))["items"]]
            assert len(given) == thread["snippet"]["totalReplyCount"]
            assert len(thread.get("replies", {}).get("comments", [])) == min(5, len(given))
            assert all(each.startswith(f"{thread['id']}.") for each in given)
            found += given
        token = answer.get("nextPageToken", "")
        if not token:
            break
    assert sorted(found) == sorted(remark.key for remark in busy.remarks)
    missing = ask(f"{root}/commentThreads?videoId=nada", KEY)
    assert _data(missing)["error"]["errors"][0]["reason"] == "videoNotFound"


def test_facebook_pages_by_cursors_and_wants_a_token(ask: Ask, told: dict[str, set[str]]):
    root = "/facebook-ate/v23.0"
    refused = ask(f"{root}/ateinforma/posts")
    assert (refused.status, _data(refused)["error"]["code"]) == (400, 104)
    address = f"{root}/ateinforma/posts?limit=30&fields=id,message,created_time,from{{id,name}}"
    posts: list[str] = []
    while address:
        answer = _data(ask(address, BEARER))
        assert all(
            set(post) == {"id", "message", "created_time", "from"} for post in answer["data"]
        )
        posts += [post["id"] for post in answer["data"]]
        address = answer["paging"].get("next", "")
        assert set(answer["paging"]["cursors"]) == {"before", "after"}
    comments: list[str] = []
    for post in posts:
        page = _data(ask(f"{root}/{post}/comments?filter=stream&limit=100", BEARER))
        comments += [each["id"] for each in page["data"]]
    assert len(posts + comments) == len(set(posts + comments))
    assert set(posts + comments) == told["facebook-ate"]
    assert _data(ask(f"{root}/nadie/posts", BEARER))["error"]["code"] == 100
    assert ask("/facebook-ate/v20.0/ateinforma/feed?access_token=word").status == 200


def test_facebook_replies_are_below_their_comment(ask: Ask, town: Town):
    answered = next(
        (item, each) for item in town.of("facebook-ate") for each in item.remarks
        if each.text.parent is not None
    )  # fmt: skip
    item, reply = answered
    top = next(each for each in item.remarks if each.text.id == reply.text.parent)
    fields = "id,parent{id}"
    below = _data(ask(f"/facebook-ate/{top.key}/comments?fields={fields}", BEARER))["data"]
    assert {"id": reply.key, "parent": {"id": top.key, "message": top.text.text}} in below
    tops = _data(ask(f"/facebook-ate/{item.key}/comments?limit=100", BEARER))["data"]
    assert reply.key not in {each["id"] for each in tops}


def test_x_pages_by_next_token_and_counts_requests(ask: Ask, told: dict[str, set[str]]):
    root = "/x-ate/2/tweets/search/recent"
    assert ask(f"{root}?query=Ate").status == 401
    assert _data(ask(root, BEARER))["title"] == "Invalid Request"
    assert ask(f"{root}?query=Ate&max_results=101", BEARER).status == 400
    found, token, left = [], "", []
    while True:
        query = "query=Ate&max_results=100&tweet.fields=created_at,author_id,referenced_tweets"
        tail = f"&next_token={token}" if token else ""
        page = ask(f"{root}?{query}&expansions=author_id{tail}", BEARER)
        answer = _data(page)
        left.append(int(_header(page, "x-rate-limit-remaining")))
        found += [post["id"] for post in answer["data"]]
        assert answer["meta"]["result_count"] == len(answer["data"])
        users = {user["id"] for user in answer["includes"]["users"]}
        assert {post["author_id"] for post in answer["data"]} == users
        token = answer["meta"].get("next_token", "")
        if not token:
            break
    assert found == sorted(found, key=int, reverse=True)
    assert len(found) == len(set(found))
    assert set(found) == told["x-ate"]
    assert left == sorted(left, reverse=True)
    nothing = _data(ask(f"{root}?query=Ate&until_id=10", BEARER))
    assert nothing == {"meta": {"result_count": 0}}
    plain = _data(ask(f"{root}?query=Ate", BEARER))["data"][0]
    assert set(plain) == {"id", "text", "edit_history_tweet_ids"}


def test_no_tweet_is_longer_than_a_tweet_because_of_a_retweet(town: Town):
    retweets = [item for item in town.of("x-ate") if item.text.copy_of and not item.text.noise]
    assert any(item.words.startswith("RT @") for item in retweets)
    assert all(len(item.words) <= 280 for item in retweets)


def test_reddit_lists_and_trees(ask: Ask, told: dict[str, set[str]]):
    found, after = [], ""
    while True:
        listing = _data(ask(f"/reddit-ate/r/ateperu/new.json?limit=25&after={after}"))
        assert listing["kind"] == "Listing"
        for child in listing["data"]["children"]:
            assert child["kind"] == "t3"
            found.append(child["data"]["name"])
            found += _below(_data(ask(f"/reddit-ate/comments/{child['data']['id']}.json"))[1])
        after = listing["data"]["after"]
        if after is None:
            break
    assert len(found) == len(set(found))
    assert set(found) == told["reddit-ate"]
    assert ask("/reddit-ate/r/otro/new.json").status == 404


def _below(listing: Any) -> list[str]:
    names = []
    for child in listing["data"]["children"]:
        assert child["kind"] == "t1"
        names.append(child["data"]["name"])
        if child["data"]["replies"]:
            names += _below(child["data"]["replies"])
    return names


def test_reddit_names_the_comments_that_it_leaves_out(ask: Ask, town: Town):
    busy = max(town.of("reddit-ate"), key=lambda item: len(item.remarks))
    tree = _data(ask(f"/reddit-ate/r/ateperu/comments/{busy.key}/x.json?limit=2"))[1]
    stub = tree["data"]["children"][-1]
    assert stub["kind"] == "more"
    assert stub["data"]["count"] == len(busy.remarks) - 2
    ids = ",".join(stub["data"]["children"])
    more = _data(ask(f"/reddit-ate/api/morechildren.json?link_id=t3_{busy.key}&children={ids}"))
    assert len(more["json"]["data"]["things"]) == len(busy.remarks) - 2


def test_telegram_turns_back_page_by_page(ask: Ask, told: dict[str, set[str]]):
    address, found = "/telegram-ate/s/ateinforma", []
    while address:
        tree = html.fromstring(ask(address).body.decode())
        posts = tree.xpath("//div[@data-post]/@data-post")
        assert 0 < len(posts) <= 20
        assert len(tree.xpath("//time[@datetime]")) == len(posts)
        found += posts
        before = tree.xpath("//a[contains(@class, 'tme_messages_more')]/@data-before")
        address = f"/telegram-ate/s/ateinforma?before={before[0]}" if before else ""
    assert len(found) == len(set(found))
    assert set(found) == told["telegram-ate"]
    assert NOTICE in ask("/telegram-ate/s/ateinforma").body.decode()
    assert ask("/telegram-ate/s/otro").status == 404


def test_discourse_names_all_posts_and_gives_twenty(ask: Ask, told: dict[str, set[str]]):
    address, found = "/debate-ate/latest.json", []
    while address:
        listing = _data(ask(address))["topic_list"]
        for topic in listing["topics"]:
            whole = _data(ask(f"/debate-ate/t/{topic['id']}.json"))
            stream, posts = whole["post_stream"]["stream"], whole["post_stream"]["posts"]
            assert len(posts) == min(20, len(stream))
            rest = "&".join(f"post_ids[]={own}" for own in stream[20:])
            if rest:
                posts += _data(ask(f"/debate-ate/t/{topic['id']}/posts.json?{rest}"))[
                    "post_stream"
                ]["posts"]
            found += [f"discourse:topic:{topic['id']}:{post['post_number']}" for post in posts]
        more = listing.get("more_topics_url", "")
        address = more.replace("latest?", "latest.json?")
    assert len(found) == len(set(found))
    assert set(found) == told["debate-ate"]
    assert _data(ask("/debate-ate/t/1.json"))["error_type"] == "not_found"


def test_the_forum_reads_like_phpbb(ask: Ask, told: dict[str, set[str]]):
    address, found = "/foro-vitarte/viewforum.php?f=2", []
    while address:
        tree = html.fromstring(ask(address).body.decode())
        for link in tree.xpath("//a[@class='topictitle']/@href"):
            found += _posts(ask, link)
        onward = tree.xpath("//li[contains(@class, 'next')]/a[@rel='next']/@href")
        address = onward[0] if onward else ""
    assert len(found) == len(set(found))
    assert set(found) == told["foro-vitarte"]
    assert NOTICE in ask("/foro-vitarte/index.php").body.decode()


def _posts(ask: Ask, address: str) -> list[str]:
    topic, found = re.findall(r"t=(\d+)", address)[0], []
    while address:
        tree = html.fromstring(ask(address).body.decode())
        posts = tree.xpath("//div[contains(@class, 'post ')]")
        assert 0 < len(posts) <= 10
        for post in posts:
            assert post.xpath(".//p[@class='author']/time/@datetime")
            assert post.xpath(".//div[@class='content']")
            found.append(f"topic:{topic}:post:{post.get('id').removeprefix('p')}")
        onward = tree.xpath("//li[contains(@class, 'next')]/a[@rel='next']/@href")
        address = onward[0] if onward else ""
    return found


def test_wordpress_counts_its_pages_in_headers(ask: Ask, told: dict[str, set[str]]):
    root = "/revista-carretera/wp-json/wp/v2"
    guids: dict[int, str] = {}
    first = ask(f"{root}/posts?per_page=5")
    for number in range(1, int(_header(first, "X-WP-TotalPages")) + 1):
        for post in _data(ask(f"{root}/posts?per_page=5&page={number}")):
            assert post["id"] not in guids
            guids[post["id"]] = post["guid"]["rendered"]
    assert len(guids) == int(_header(first, "X-WP-Total"))
    comments = ask(f"{root}/comments?per_page=100")
    found = []
    for number in range(1, int(_header(comments, "X-WP-TotalPages")) + 1):
        page = _data(ask(f"{root}/comments?per_page=100&page={number}"))
        found += [f"{guids[each['post']]}#comment-{each['id']}" for each in page]
    assert len(found) == len(set(found))
    assert {*guids.values(), *found} == told["revista-carretera"]


def test_wordpress_refuses_as_wordpress_does(ask: Ask):
    root = "/revista-carretera/wp-json/wp/v2"
    beyond = ask(f"{root}/posts?page=9999")
    assert (beyond.status, _data(beyond)["code"]) == (400, "rest_post_invalid_page_number")
    assert _data(ask(f"{root}/posts?per_page=101"))["code"] == "rest_invalid_param"
    assert _data(ask(f"{root}/nada"))["code"] == "rest_no_route"
    assert NOTICE in _data(ask("/revista-carretera/wp-json/"))["description"]
    newest = _data(ask(f"{root}/posts?per_page=1&_fields=id,link"))[0]
    assert set(newest) == {"id", "link"}
    assert 'rel="https://api.w.org/"' in _header(ask(newest["link"]), "Link")
    after = _data(ask(f"{root}/posts?after=2021-09-20T00:00:00-05:00&per_page=100"))
    assert after
    assert all(post["date"] >= "2021-09-20" for post in after)


def test_the_sitemap_index_leads_to_every_article_once(ask: Ask, town: Town):
    index = etree.fromstring(ask("/diario-este/sitemap.xml").body)
    inner = [node.text for node in index.iter("{*}loc")]
    assert etree.QName(index).localname == "sitemapindex"
    lists = {address: etree.fromstring(ask(address).body) for address in inner}
    news = lists[f"{BASE}/diario-este/sitemap-news.xml"]
    articles = [
        node.text
        for address, tree in lists.items()
        if "notas" in address
        for node in tree.iter("{*}loc")
    ]
    assert sorted(articles) == sorted(BASE + item.path for item in town.of("diario-este"))
    fresh = [node.text for node in news.iter("{*}loc")]
    assert 0 < len(fresh) < len(articles)
    assert len(list(news.iter(f"{NEWS}publication_date"))) == len(fresh)
    assert len(list(news.iter(f"{NEWS}title"))) == len(fresh)
    assert ask("/diario-este/sitemap-notas-99.xml").status == 404
    assert "Sitemap: " + BASE + "/diario-este/sitemap.xml" in ask("/robots.txt").body.decode()


def test_headlines_lead_to_the_articles_of_the_town(ask: Ask, town: Town):
    page = ask("/agregador-noticias/rss/search?q=Ate&hl=es-419&gl=PE&ceid=PE:es-419")
    channel = etree.fromstring(page.body).find("channel")
    assert channel is not None
    assert NOTICE in (channel.findtext("description") or "")
    entries = channel.findall("item")
    assert len(entries) == len(town.of("agregador-noticias"))
    for entry in entries:
        source = entry.find("source")
        assert source is not None
        assert (entry.findtext("title") or "").endswith(f" - {source.text}")
        item = town.at(urlsplit(entry.findtext("link") or "").path)
        assert item is not None
        assert item.site.title == source.text
        assert f"{item.title} - {source.text}" == entry.findtext("title")
        assert (entry.findtext("pubDate") or "").endswith("GMT")


def test_decidim_answers_queries(ask: Ask, told: dict[str, set[str]]):
    found: list[str] = []
    after = None
    while True:
        answer = _data(ask("/participa-ate/api", body={"query": _QUERY,
                                                       "variables": {"after": after}}))  # fmt: skip
        component = answer["data"]["participatoryProcesses"][0]["components"][0]
        assert component["__typename"] == "Proposals"
        for edge in component["page"]["edges"]:
            found.append(f"proposal:{edge['node']['id']}")
            found += _said(edge["node"]["comments"])
        if not component["page"]["pageInfo"]["hasNextPage"]:
            break
        after = component["page"]["pageInfo"]["endCursor"]
    assert len(found) == len(set(found))
    assert set(found) == told["participa-ate"]


_QUERY = """
query Everything($after: String) {  # all of it
  participatoryProcesses { id components { __typename ...on Proposals {
    page: proposals(first: 10, after: $after) {
      pageInfo { hasNextPage endCursor }
      edges { cursor node { id title { translation(locale: "es") } ...talk } } } } } }
}
fragment talk on Proposal { comments { ...said comments { ...said comments { ...said
  comments { ...said comments { ...said comments { ...said } } } } } } }
fragment said on Comment { id body createdAt author { name } hasComments }
"""


def _said(comments: list[dict[str, Any]]) -> list[str]:
    names = []
    for comment in comments:
        names.append(f"comment:{comment['id']}")
        names += _said(comment.get("comments", []))
    return names


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("{ decidim { version } }", "0.29.1"),
        ("{ decidim { nada } }", "doesn't exist on type 'Decidim'"),
        ("{ decidim }", "must have selections"),
        ("{ decidim {", "Unexpected end"),
        ("mutation { x }", "only reads"),
        ("{ a: component(id: 99) { id } }", '"a":null'),
        ("{a" * 100, "nested too deeply"),
        ("{{", "Unexpected end"),
        ("{ a(: }", "Expected :"),
        ("{ ...nadie }", "not defined"),
        ("«", "Unexpected character"),
        ("", "No operation"),
    ],
)
def test_decidim_says_what_is_wrong_with_a_query(ask: Ask, query: str, said: str):
    page = ask("/participa-ate/api", body={"query": query})
    assert page.status == 200
    assert said in page.body.decode()


def test_decidim_takes_queries_and_nothing_else(ask: Ask):
    assert "No query string" in ask("/participa-ate/api").body.decode()
    assert ask("/participa-ate/api", body=["x"]).status == 400
    assert "No query string" in ask("/participa-ate/api", body={"query": 1}).body.decode()


def test_open311_gives_requests_in_both_forms(ask: Ask, told: dict[str, set[str]]):
    root = "/reporta-ate/open311/v2"
    found: list[str] = []
    for number in range(1, 100):
        page = _data(ask(f"{root}/requests.json?page_size=20&page={number}"))
        if not page:
            break
        found += [each["service_request_id"] for each in page]
    assert len(found) == len(set(found))
    assert set(found) == told["reporta-ate"]
    tree = etree.fromstring(ask(f"{root}/requests.xml?page_size=1000").body)
    assert [node.text for node in tree.iter("service_request_id")] == found
    one = _data(ask(f"{root}/requests/{found[0]}.json"))
    assert [each["service_request_id"] for each in one] == [found[0]]
    assert NOTICE in one[0]["service_notice"]
    assert ask(f"{root}/requests/nada.json").status == 404
    services = {each["service_code"] for each in _data(ask(f"{root}/services.json"))}
    assert one[0]["service_code"] in services
    since = "2021-09-15T00:00:00Z"
    later = _data(ask(f"{root}/requests.json?start_date={since}&page_size=1000"))
    assert 0 < len(later) < len(found)
    assert all(datetime.fromisoformat(each["requested_datetime"]) >= datetime.fromisoformat(since)
               for each in later)  # fmt: skip


def test_uploads_are_files_that_open(ask: Ask, told: dict[str, set[str]], town: Town):
    text = ask("/central-telefonica/registro.csv").body.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["codigo"] for row in rows} == told["central-telefonica"]
    assert {row["nota"] for row in rows} == {NOTICE}
    assert re.fullmatch(r"\d\d/09/2021 \d\d:\d\d:\d\d", rows[0]["fecha"])
    body = ask("/encuesta-vecinal/respuestas.xlsx").body
    assert body == Pages(town).answer(Call("/encuesta-vecinal/respuestas.xlsx", BASE)).body
    sheet = load_workbook(io.BytesIO(body)).active
    assert sheet is not None
    header, *lines = sheet.iter_rows(values_only=True)
    assert header == COLUMNS
    assert {line[0] for line in lines} == told["encuesta-vecinal"]
    assert isinstance(lines[0][1], datetime)


def test_hostile_texts_are_escaped_on_platforms_of_html(hostile_town: Town):
    pages = Pages(hostile_town)
    for address in ("/telegram-ate/s/ateinforma", "/foro-vitarte/viewforum.php?f=2"):
        path, _, query = address.partition("?")
        page = pages.answer(Call(path, BASE, read_query(query))).body.decode()
        assert "<script>" not in page
        assert 'alert("x")' in html.fromstring(page).text_content()
    statuses = _data(pages.answer(Call("/masto-lima/api/v1/timelines/public", BASE)))
    assert statuses
    assert all("<script>" not in status["content"] for status in statuses)
