"""The verifier page in a real Chromium: what a person who opens it can do, and what a hostile file cannot."""

import copy
import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

PICTURES = Path(__file__).resolve().parents[2] / "build" / "screenshots"
PHONE = {"viewport": {"width": 390, "height": 800}, "is_mobile": True, "has_touch": True}
NARROW = {"viewport": {"width": 320, "height": 640}}
HEADLINE = ".verdict .headline"


def file_of(name, data, media="application/json"):
    return {"name": name, "mimeType": media, "buffer": data}


def scrolls_sideways(page):
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


@pytest.fixture
def verdict_page(site, open_page, give, files):
    """`verdict_page(kind)`: the page that a file, or the kind of dossier, leads to."""

    def lead(kind, url=site.url, **options):
        page = open_page(url, **options)
        if kind == "issuers":
            page.goto(f"{url}issuers")
        elif kind != "form":
            known = {**files, "refused": file_of("a.pdf", b"%PDF-1.7")}
            give(page, known[kind] if isinstance(kind, str) else kind)
        return page

    return lead


# -- the way to a verdict


def test_two_clicks_lead_to_the_first_verdict(devnet, open_page):
    page = open_page(devnet.url)
    page.click("text=A good credential")
    assert page.inner_text(HEADLINE) == "Valid"
    page.click(".check >> nth=2 >> summary")
    assert "signed with" in page.inner_text(".check >> nth=2")


def test_the_achievement_comes_first_in_words_and_then_one_sentence(site, open_page, give, files):
    page = open_page(site.url)
    give(page, files["good"])
    text = page.inner_text("main")
    places = [
        text.index(words)
        for words in ("Data Literacy", "University of Ada", "3 July 2026", "5 ECTS", "EQF level 6", "Valid")
    ]
    assert places == sorted(places)
    assert page.inner_text(".sentence") == "Genuine, logged by its issuer, and in good standing."
    assert page.title().startswith("Valid: Data Literacy")


@pytest.mark.parametrize(
    ("kind", "headline", "sentence"),
    [
        ("tampered", "Not valid", "Do not rely on it"),
        ("unanchored", "Cannot tell", "This is not a judgement about the credential"),
        ("bare", "Cannot tell", "There is no evidence for it yet"),
        ("revoked", "Revoked", "its issuer has revoked it"),
        ("suspended", "Suspended", "its issuer has suspended it"),
        ("closed", "Valid", "Its issuer has closed since; this status is final"),
    ],
)
def test_each_outcome_has_its_own_plain_words(verdict_page, kind, headline, sentence):
    page = verdict_page(kind)
    assert page.inner_text(HEADLINE) == headline
    assert sentence in page.inner_text(".sentence")
    assert page.locator(".check").count() == 11


def test_cannot_tell_and_a_closed_issuer_look_nothing_like_invalid(site, open_page, give, files):
    colours, seals = {}, {}
    for kind in ("good", "tampered", "unanchored", "closed"):
        page = open_page(site.url)
        give(page, files[kind])
        colours[kind] = page.evaluate("getComputedStyle(document.querySelector('.headline')).color")
        seals[kind] = page.get_attribute(".seal use", "href")
    assert colours["unanchored"] not in (colours["tampered"], colours["good"])
    assert colours["closed"] == colours["good"]
    assert len(set(seals.values())) == 4


def test_a_dropped_file_is_verified_at_once(site, open_page, files):
    page = open_page(site.url)
    page.evaluate(
        """(text) => {
            const data = new DataTransfer();
            data.items.add(new File([text], "dropped.credential.json", {type: "application/json"}));
            const drop = new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
            document.querySelector("main").dispatchEvent(drop);
        }""",
        json.dumps(files["good"]),
    )
    page.wait_for_selector(HEADLINE)
    assert page.inner_text(HEADLINE) == "Valid"
    assert "dropped.credential.json" in page.inner_text(".asked")


def test_text_that_is_pasted_anywhere_waits_for_the_button(site, open_page, files):
    page = open_page(site.url)
    page.evaluate(
        """(text) => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const paste = new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true});
            document.body.dispatchEvent(paste);
        }""",
        json.dumps(files["good"]),
    )
    assert page.inner_text(".live") == "Pasted. Press Verify."
    page.keyboard.press("Enter")
    page.wait_for_selector(HEADLINE)
    assert page.inner_text(HEADLINE) == "Valid"


def test_a_credential_and_its_evidence_are_joined_from_two_files(site, open_page, give, files):
    page = open_page(site.url)
    evidence, credential = (json.dumps(files["good"][part]).encode() for part in ("evidence", "credential"))
    give(page, file_of("my.evidence.json", evidence), file_of("my.json", credential))
    assert page.inner_text(HEADLINE) == "Valid"
    assert "Its evidence came from the file my.evidence.json." in page.inner_text(".asked")


def test_several_files_have_a_verdict_each_and_a_stranger_among_them_says_nothing(
    site, open_page, give, files
):
    page = open_page(site.url)
    given = [file_of(f"{kind}.json", json.dumps(files[kind]).encode()) for kind in ("good", "tampered")]
    give(page, *given, file_of("photo.png", b"\x89PNG\r\n\x1a\n", "image/png"))
    assert [item.inner_text() for item in page.locator(HEADLINE).all()] == ["Valid", "Not valid"]
    assert "photo.png: this is a PNG image" in page.inner_text(".refusals")
    assert page.inner_text("h1") == "2 verdicts"


def test_a_day_in_the_past_is_asked_about_and_now_stays_answered(site, open_page, give, files):
    page = open_page(site.url)
    give(page, files["good"])
    page.fill(".as-of input", "2026-11-20")
    page.click(".as-of button")
    page.wait_for_selector("text=Cannot tell as of 20 November 2026")
    assert "nothing about the time before" in page.inner_text(".advice")
    assert page.locator(".times .word").all_inner_texts() == ["Valid", "Cannot tell", "Valid"]
    page.fill(".as-of input", "2026-11-21")
    page.click(".as-of button")
    page.wait_for_selector("text=Valid as of 21 November 2026")


def test_one_altered_character_is_found_by_who_alters_it_on_the_page(devnet, open_page):
    page = open_page(f"{devnet.url}?sample=good")
    page.click("text=Alter it, and verify again")
    text = page.locator("textarea")
    text.fill(text.input_value().replace("Data Literacy", "Data Litterbox", 1))
    page.click("button:has-text('Verify again')")
    page.wait_for_selector("text=Not valid")
    assert "check 3 (credential-proof)" in page.inner_text(".sentence")


def test_the_same_text_verified_again_is_still_valid(devnet, open_page):
    page = open_page(f"{devnet.url}?sample=good")
    page.click("text=Alter it, and verify again")
    page.click("button:has-text('Verify again')")
    page.wait_for_selector(".asked >> text=pasted text")
    assert page.inner_text(HEADLINE) == "Valid"


# -- for everybody


def test_the_keyboard_alone_is_enough(devnet, open_page):
    page = open_page(devnet.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for _ in range(20):
        page.keyboard.press("Tab")
        if "A good credential" in page.evaluate("document.activeElement.innerText || ''"):
            break
    page.keyboard.press("Enter")
    page.wait_for_selector(HEADLINE)
    assert page.evaluate("document.activeElement.tagName") == "H1"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    page.keyboard.press("Enter")
    assert page.locator(".check details[open]").count() == 1
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"


def test_a_screen_reader_is_told_the_verdict_and_what_was_chosen(site, open_page, give, files):
    page = open_page(site.url)
    page.set_input_files("#file", [file_of("mine.json", json.dumps(files["good"]).encode())])
    assert page.get_attribute(".live", "aria-live") == "polite"
    assert page.inner_text(".live") == "Chosen: mine.json"
    give(page, files["good"])
    assert "Valid" in page.inner_text("[role=status]")
    assert page.locator("main h1").count() == 1
    assert page.get_attribute("html", "lang") == "en"
    landmarks = page.evaluate(
        "['header', 'nav', 'main', 'footer'].map((n) => document.querySelectorAll(n).length)"
    )
    assert landmarks == [1, 1, 1, 1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["form", "good", "tampered", "unanchored", "closed", "refused", "issuers"])
def test_axe_finds_nothing(devnet, verdict_page, axe, scheme, kind):
    page = verdict_page(kind, devnet.url, color_scheme=scheme, reduced_motion="reduce")
    if kind in ("good", "tampered", "unanchored", "closed"):
        page.evaluate("document.querySelectorAll('details').forEach((item) => { item.open = true; })")
    assert axe(page) == []


@pytest.mark.parametrize("options", [PHONE, NARROW], ids=["phone", "narrow"])
def test_nothing_is_wider_than_a_phone(devnet, open_page, give, files, options):
    page = open_page(devnet.url, **options)
    assert not scrolls_sideways(page)
    for kind in ("good", "tampered"):
        page.goto(devnet.url)
        give(page, files[kind])
        page.evaluate("document.querySelectorAll('details').forEach((item) => { item.open = true; })")
        assert not scrolls_sideways(page)
    page.goto(f"{devnet.url}issuers")
    assert not scrolls_sideways(page)


def test_who_wants_less_motion_gets_none(site, open_page, give, files):
    names = {}
    for motion in ("reduce", "no-preference"):
        page = open_page(site.url, reduced_motion=motion)
        give(page, files["good"])
        page.click(".check summary >> nth=0")
        names[motion] = page.evaluate(
            "getComputedStyle(document.querySelector('.check .record')).animationName"
        )
    assert names == {"reduce": "none", "no-preference": "unfold"}


def test_paper_has_digest_time_node_and_trust_file_and_no_buttons(devnet, open_page, give, files):
    page = open_page(devnet.url)
    give(page, files["good"])
    page.emulate_media(media="print")
    text = page.inner_text("main")
    for words in (devnet.node.trust.fingerprint, "Asked", "21 November 2026, 11:00:00 UTC", "127.0.0.1"):
        assert words in text
    assert page.inner_text(".asked code >> nth=0").startswith("u")
    assert page.locator("button:visible, input:visible, textarea:visible, nav:visible").count() == 0
    assert "DEVELOPMENT REGISTRY" in page.inner_text("body")
    assert page.locator(".check:visible").count() == 11


def test_dark_is_dark_and_light_is_light(site, open_page):
    def brightness(page):
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour.removeprefix("rgb(").rstrip(")").split(","))

    assert brightness(open_page(site.url, color_scheme="light")) > 600
    assert brightness(open_page(site.url, color_scheme="dark")) < 120


# -- without JavaScript


def test_without_javascript_everything_works(devnet, open_page, give, files):
    page = open_page(devnet.url, java_script_enabled=False)
    assert not page.locator(".drop-words").is_visible()
    give(page, files["good"], day="2026-11-21")
    assert page.inner_text(HEADLINE) == "Valid as of 21 November 2026"
    page.click(".check summary >> nth=5")
    assert "time of the block" in page.inner_text(".check >> nth=5")
    page.click("text=Alter it, and verify again")
    text = page.locator("textarea")
    text.fill(text.input_value().replace('"B"', '"A"', 1))
    page.click("button:has-text('Verify again')")
    page.wait_for_selector("text=Not valid as of")
    page.click("text=Verify something else")
    page.click("text=Or paste its text")
    page.fill("#text", json.dumps(files["revoked"]))
    page.click("form.ask button")
    page.wait_for_selector("text=Revoked")


# -- what may come


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202egnp.exe\u200b"


def test_hostile_names_are_text_and_turn_nothing_around(site, open_page, give, files):
    page = open_page(site.url)
    dossier = copy.deepcopy(files["good"])
    credential = dossier["credential"]
    credential["issuer"]["name"] = HOSTILE
    credential["credentialSubject"]["achievement"]["name"] = f"{HOSTILE}{'x' * 1_000_000}"
    give(page, dossier, name=f"diploma\u202e{HOSTILE[:40]}.json")
    assert page.locator("main script, main img").count() == 0
    shown = page.inner_text(".says") + page.inner_text(".asked .record")
    assert "<script>alert(1)</script>" in shown
    assert "[U+202E]" in shown
    assert "\u202e" not in page.content()
    assert "\u200b" not in page.content()
    assert len(page.inner_text(".title")) <= 301
    assert page.evaluate("getComputedStyle(document.querySelector('.title bdi')).unicodeBidi") == "isolate"
    assert page.inner_text(HEADLINE) == "Not valid"
    assert page.locator(HEADLINE).bounding_box()["y"] < 1200
    assert not scrolls_sideways(page)


@pytest.mark.parametrize("javascript", [True, False], ids=["with script", "without"])
def test_a_hundred_files_are_too_many_and_the_limit_is_named(site, open_page, files, javascript):
    page = open_page(site.url, java_script_enabled=javascript)
    data = json.dumps(files["good"]["credential"]).encode()
    page.set_input_files("#file", [file_of(f"{number}.json", data) for number in range(100)])
    if javascript:
        assert page.inner_text(".live") == "These are 100 files; at most 12 can be verified at once."
        return
    page.click("form.ask button")
    page.wait_for_selector(".mistake")
    assert "More than 12 files" in page.inner_text(".mistake")


@pytest.mark.parametrize("javascript", [True, False], ids=["with script", "without"])
def test_a_file_of_200_megabytes_is_refused_with_the_limit(site, open_page, tmp_path, javascript):
    large = tmp_path / "film.mp4"
    with large.open("wb") as file:
        file.truncate(200 << 20)
    page = open_page(site.url, java_script_enabled=javascript)
    page.set_input_files("#file", large)
    if javascript:
        assert "film.mp4 has 200 MiB; a file may have 2 MiB" in page.inner_text(".live")
        page.click("form.ask button")  # nothing was sent, and why is still said
        assert "film.mp4 has 200 MiB; a file may have 2 MiB" in page.inner_text(".live")
        page.set_input_files("#file", [])
        page.click("form.ask button")
        assert "Choose a file first" in page.inner_text(".live")
        return
    page.click("form.ask button")
    page.wait_for_selector(".mistake")
    assert "larger than 8 MiB" in page.inner_text(".mistake")


def test_an_empty_form_is_not_sent(site, open_page):
    page = open_page(site.url)
    page.click("form.ask button")
    assert "Choose a file first" in page.inner_text(".live")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("saved page.html", b"<!doctype html><title>Diploma</title>", "is a web page"),
        ("diploma.pdf", b"%PDF-1.7 ...", "is a PDF document"),
        ("empty.json", b"", "is empty"),
        ("deep.json", b"[" * 100_000, "nested"),
        ("list.json", b"[1, 2]", "must be a JSON object"),
    ],
)
def test_a_file_of_the_wrong_kind_is_named_and_judges_nobody(verdict_page, name, data, words):
    page = verdict_page(file_of(name, data, "application/octet-stream"))
    assert page.inner_text("h1") == "Nothing could be verified"
    assert name in page.inner_text(".refusals")
    assert words in page.inner_text(".refusals")
    assert page.locator(HEADLINE).count() == 0


def test_a_devnet_says_so_loudly_on_every_page_and_a_real_registry_does_not(
    devnet, site, open_page, give, files
):
    page = open_page(devnet.url)
    for path in ("", "issuers", "?sample=good", "nothing-here"):
        page.goto(devnet.url + path)
        assert page.locator(".devnet").bounding_box()["y"] == 0
        assert "nothing about the real world" in page.inner_text(".devnet")
    real = open_page(site.url)
    assert real.locator(".devnet, .samples").count() == 0


def test_the_trust_file_and_the_way_to_need_nobody_are_shown(site, open_page):
    page = open_page(site.url)
    shown = page.inner_text("footer")
    assert site.node.trust.fingerprint in shown
    assert "testamur verify --offline --trust trust.json FILE" in shown


# -- pictures, for people to look at


@pytest.mark.parametrize(
    ("look", "options"),
    [("desktop", {}), ("phone", PHONE), ("dark", {"color_scheme": "dark"})],
    ids=["desktop", "phone", "dark"],
)
def test_pictures_are_taken_of_every_look(verdict_page, devnet, look, options):
    PICTURES.mkdir(parents=True, exist_ok=True)
    sizes = []
    for kind in ("form", "good", "tampered", "unanchored"):
        page = verdict_page(kind, devnet.url, **options)
        sizes.append(len(page.screenshot(path=PICTURES / f"{kind}-{look}.png", full_page=True)))
    assert min(sizes) > 20_000  # an empty page has a tenth of that
