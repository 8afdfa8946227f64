import base64
import html
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingd.config.secrets import Secret
from tradingd.telemetry.masking import Mask

VALUE = 'p@ss/w"rd+\\ü <&> 1'


def mask_of(*values: str) -> Mask:
    return Mask(Secret(f"env:S{i}", value) for i, value in enumerate(values))


@pytest.mark.parametrize(
    "form",
    [
        VALUE,
        json.dumps(VALUE)[1:-1],
        json.dumps(VALUE, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(VALUE))[3:-3],
        urllib.parse.quote(VALUE),
        urllib.parse.quote(VALUE, safe=""),
        urllib.parse.quote_plus(VALUE),
        urllib.parse.quote(VALUE, safe="").lower(),
        urllib.parse.quote(urllib.parse.quote(VALUE, safe=""), safe=""),
        base64.b64encode(VALUE.encode()).decode(),
        base64.urlsafe_b64encode(VALUE.encode()).decode(),
        repr(VALUE)[1:-1],
        ascii(VALUE)[1:-1],
        repr(VALUE.encode())[2:-1],
        html.escape(VALUE),
        VALUE.encode().hex(),
    ],
)
def test_a_secret_passes_in_no_form(form: str) -> None:
    shown = mask_of(VALUE).text(f"before {form} after")
    assert form not in shown
    assert shown == "before *** after"


@pytest.mark.parametrize("user", ["", "u", "us", "user"], ids=len)
def test_a_password_inside_basic_authentication_is_masked(user: str) -> None:
    password = "correct-horse-battery"
    header = base64.b64encode(f"{user}:{password}:more".encode()).decode()
    shown = mask_of(password).text(f"Authorization: Basic {header}")
    assert shown.count("***") == 1
    rests = shown.removeprefix("Authorization: Basic ").rstrip("=").split("***")
    for rest in rests:
        for offset in range(4):  # wherever the rest is cut out, it decodes to no more than edges
            padded = "A" * offset + rest
            decoded = base64.b64decode(padded[: len(padded) // 4 * 4])
            assert password[3:-3].encode() not in decoded
            assert password[:6].encode() not in decoded
            assert password[-6:].encode() not in decoded


URL = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ?token=Zq81LmNb77&to=%23trading"


@pytest.mark.parametrize(
    "part",
    [
        "T1JJ3T3L2",
        "A1BRTD4JD",
        "TIiajkdnlazkcOXrIdevi7FQ",
        "Zq81LmNb77",
        "https://hooks.example/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    ],
)
def test_the_tokens_of_an_alert_address_are_masked_apart(part: str) -> None:
    shown = mask_of(URL).text(f"POST {part} failed")
    assert not [one for one in ("T1JJ3T3L2", "A1BRTD4JD", "TIiajk", "Zq81") if one in shown]


def test_the_password_of_a_mail_address_is_masked_and_its_host_is_not() -> None:
    mask = mask_of("mailtos://bot:s3cr%40t!x@mail.example.org:587?to=desk@example.org")
    shown = mask.text("login bot s3cr@t!x s3cr%40t!x at mail.example.org for desk@example.org")
    assert shown == "login bot *** *** at mail.example.org for desk@example.org"


def test_words_of_an_address_stay_readable() -> None:
    mask = mask_of("https://hooks.example.org/services/webhooks/T00AA11BB22CC")
    text = "services and webhooks of hooks.example.org went away"
    assert mask.text(text) == text


def test_a_key_of_several_lines_is_masked_line_by_line() -> None:
    mask = mask_of("-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----")
    assert mask.text("line 2 is kqhkiG9w0BAQEF") == "line 2 is ***"


def test_secrets_that_overlap_leave_no_rest() -> None:
    assert mask_of("abcdXY", "XYefgh").text("1abcdXYefgh2") == "1***2"


def test_text_without_a_secret_is_untouched_and_short_values_are_ignored() -> None:
    assert mask_of("abc", "").text("abc of the alphabet") == "abc of the alphabet"


def test_a_secret_resolved_later_is_masked_from_then_on() -> None:
    mask = Mask()
    resolve = mask.resolving(lambda reference: Secret(reference, "late-secret"))
    assert mask.text("late-secret") == "late-secret"
    assert resolve("env:X").reveal() == "late-secret"
    assert mask.text("late-secret") == "***"


SECRETS = st.text(min_size=4, max_size=40).filter(lambda text: len(text.strip()) >= 4)


@given(st.lists(SECRETS, min_size=1, max_size=4), st.text(max_size=60), st.data())
def test_no_secret_survives_in_any_text(secrets: list[str], text: str, data: st.DataObject) -> None:
    wrap = data.draw(st.sampled_from([str, json.dumps, repr, urllib.parse.quote, html.escape]))
    try:
        carried = text + wrap(secrets[0]) + text + secrets[-1]
    except UnicodeEncodeError:  # a lone surrogate is in no URL
        return
    shown = mask_of(*secrets).text(carried)
    for secret in secrets:
        assert secret not in shown
    if secrets[0].isascii() and secrets[0].isalnum() and "***" not in carried:
        assert "***" in shown
