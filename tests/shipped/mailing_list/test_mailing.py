"""How a list speaks: its fields, and how much it answers."""

import re

import pytest

from tests.kit.lists import ANN, BOB, DOMAIN, NEWS, join, last, lists


@pytest.mark.rfc("2369", "3")
@pytest.mark.rfc("2919", "3")
@pytest.mark.rfc("8058", "3.1")
def test_a_confirmed_subscription_gets_posts_with_the_fields_of_lists() -> None:
    """Subscribe, confirm, post: every member has a copy of its own, with its own reverse-path; the body is as it was."""
    node = lists(description="News, of the house", base_url="https://lists.example/x", archive_url="https://a.example/")
    join(node, ANN, BOB)
    node.send(ANN, NEWS, subject="Party", text="At eight.\nFrom me.", files=[])
    copy = last(node, BOB)
    assert copy["Subject"] == "Party"
    assert copy.get_content().splitlines() == ["At eight.", " From me."]
    assert copy["List-Id"] == '"News, of the house" <news.lists.example>'
    assert copy["List-Post"] == f"<mailto:{NEWS}>"
    assert copy["List-Archive"] == "<https://a.example/>"
    assert copy["Precedence"] == "list"
    for name in ("Help", "Subscribe", "Owner"):
        assert copy[f"List-{name}"] == f"<mailto:news-{name.lower()}@{DOMAIN}>"
    assert re.fullmatch(
        r"<https://lists.example/x/unsubscribe/news/2-\w{16}>, <mailto:news-unsubscribe\+2-\w{16}@lists.example>",
        copy["List-Unsubscribe"],
    )
    assert copy["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert copy["From"] == ANN
    assert len(node.mailbox(ANN)) == len(node.mailbox(BOB)) == 1
    assert last(node, ANN)["List-Unsubscribe"] != copy["List-Unsubscribe"]
    assert not node.queue()


def test_nobody_can_be_bombed_with_questions() -> None:
    """An address gets a few answers a day, whoever asks; a new day brings more."""
    node = lists(answers_per_address="2/d")
    for _ in range(20):
        node.send(ANN, f"news-subscribe@{DOMAIN}")
    assert len(node.mailbox(ANN)) == 2
    node.advance("1d")
    node.send(ANN, f"news-subscribe@{DOMAIN}")
    assert len(node.mailbox(ANN)) == 3
    flooded = lists(answers="3/h")
    for number in range(20):
        flooded.send(f"x{number}@far.example", f"news-subscribe@{DOMAIN}")
    assert len(flooded.outside.sent) == 3


def test_the_address_of_posts_may_be_an_alias() -> None:
    """Members write to a mailbox of another domain; copies and texts show that one."""
    config = f'[[domain]]\nname = "home.example"\naccounts = "any"\n[domain.aliases]\ntalk = ["{NEWS}"]\n'
    node = lists(config=config, members=(ANN,), address="talk@home.example", reply_to="list")
    node.send(ANN, "talk@home.example", subject="Hi")
    copy = last(node, ANN)
    assert copy["List-Post"] == "<mailto:talk@home.example>"
    assert copy["Reply-To"] == "talk@home.example"
    node.send(BOB, f"news-help@{DOMAIN}")
    assert "mailing list talk@home.example." in last(node, BOB).get_content()
