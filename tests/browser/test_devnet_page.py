"""The page of a real devnet: samples that were really issued, really anchored, and judged like any other file."""

import asyncio
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from testamur.node.service.devnet import SampleIssuer, running
from testamur.node.service.sample import issue_sample, offer_samples, sample_files

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.browser, pytest.mark.chain]


@pytest.fixture(scope="module")
def real_devnet(tmp_path_factory):
    """The address of a devnet that has issued one of the sample classes, and offers samples of it."""
    home = tmp_path_factory.mktemp("devnet") / "home"
    addresses, done = [], threading.Event()
    listening = threading.Event()

    async def run():
        async with running(home, port=0, clock=lambda: datetime.now(UTC), roots=[ROOT]) as devnet:
            await devnet.admit_sample(SampleIssuer())
            await issue_sample(devnet, SampleIssuer(), sample_files(ROOT)[0])
            await asyncio.to_thread(offer_samples, devnet)
            addresses.append(f"{devnet.url}/")
            listening.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    while not listening.wait(0.2):
        assert thread.is_alive(), "the devnet ended before it listened"
    yield addresses[0]
    done.set()
    thread.join(60)


@pytest.mark.parametrize(
    ("title", "headline", "said"),
    [
        ("A good credential", "Valid", "Genuine, logged by its issuer, and in good standing."),
        ("A tampered one", "Not valid", "check 3 (credential-proof) and 4 (logged) failed"),
        ("Not yet anchored", "Cannot tell", "It is not anchored on a chain yet."),
        ("An unknown issuer", "Cannot tell", "There is no evidence for it yet."),
    ],
)
def test_each_sample_is_what_it_says(real_devnet, open_page, title, headline, said):
    page = open_page(real_devnet)
    page.click(f"text={title}")
    assert page.inner_text(".verdict .headline") == headline
    assert said in page.inner_text(".sentence")
    assert "Data Literacy for Public Services" in page.inner_text("h1")
    assert page.locator(".devnet").is_visible()


def test_a_person_is_named_and_nothing_is_older_than_this_test(real_devnet, open_page):
    page = open_page(f"{real_devnet}?sample=good")
    assert "Aoife Byrne" in page.inner_text(".award")
    page.click(".check >> nth=5 >> summary")
    assert "second" in page.inner_text(".check >> nth=5") or "minute" in page.inner_text(".check >> nth=5")
