"""Records in the form of zone files: what is read, and what is refused with a reason."""

import pytest

from environments.zone_file import find_taken_names, read_zone_file

EXPORT = """
; as another provider exports it
$ORIGIN augeo.example.
$TTL 300
@           MX  10 mail
            MX  20 mx.example.com.
www         CNAME   site.example.com.
@    7200   TXT "v=spf1 include:" "example.com ~all"
@           CAA 0 issue "digicert.com"
*.news      A   203.0.113.4
ipv6        AAAA 2001:0db8::0001
"""


def test_an_export_is_read_whole() -> None:
    assert read_zone_file(EXPORT, "augeo.example") == [
        ("*.news", "A", 300, [("203.0.113.4",)]),
        ("@", "CAA", 300, [("0", "issue", "digicert.com")]),
        ("@", "MX", 300, [("10", "mail.augeo.example"), ("20", "mx.example.com")]),
        ("@", "TXT", 7200, [("v=spf1 include:example.com ~all",)]),
        ("ipv6", "AAAA", 300, [("2001:db8::1",)]),
        ("www", "CNAME", 300, [("site.example.com",)]),
    ]


def test_a_record_without_a_ttl_gets_an_hour() -> None:
    assert read_zone_file("a A 203.0.113.4", "augeo.example")[0].ttl == 3600
    assert read_zone_file(" \n", "augeo.example") == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a A 203.0.113.4\nwww A 1.2.3", "line 2, 'www A 1.2.3': Text input is malformed"),
        ("<<<<<<< HEAD", "line 1, '<<<<<<< HEAD'"),
        ("$INCLUDE /etc/passwd", "'$INCLUDE' is not allowed"),
        ("www.example.org. A 203.0.113.4", "has www.example.org., which is not in the zone"),
        ("@ NS ns1.example.com.", "has a record of type NS for '@'; these are possible: A, AAAA, CAA, CNAME, MX, TXT"),
        ("@ CNAME site.example.com.", "has a CNAME record for '@'"),
        ("www CNAME a.\nwww CNAME b.", "has several CNAME records for 'www'"),
        ("www CNAME a.\nwww A 203.0.113.4", "line 2, 'www A 203.0.113.4'"),
        (r'@ TXT "\255"', "has a TXT record that is no UTF-8"),
        (
            f"@ TXT {' '.join([chr(34) + 'x' * 250 + chr(34)] * 17)}",
            "has a TXT record of 4250 characters; Azure takes 4096",
        ),
    ],
)
def test_what_cannot_be_made_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^(is no zone file|has )") as failure:
        read_zone_file(text, "augeo.example")
    assert reason in str(failure.value)


def test_names_with_records_of_the_platform_are_found() -> None:
    made = {"api": "CNAME", "_dmarc": "TXT"}
    assert find_taken_names("api A 203.0.113.4\n_dmarc TXT x", made) == ["_dmarc", "api"]
    assert find_taken_names("_dmarc CNAME x.", made) == ["_dmarc"]
    assert find_taken_names("_dmarc MX 10 x.\nwww TXT x\n@ MX 10 x.", made) == []
