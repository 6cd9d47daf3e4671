//! Examples of the ways in which people write identifiers, and of what only looks like them.

use crate::text::scrub::{may_contain_identifier, scrub};

fn scrubbed(text: &str) -> String {
    scrub(text).map_or_else(|| text.to_owned(), |scrubbed| scrubbed.text)
}

/// Asserts that each text becomes the one beside it, and reports all that do not.
#[track_caller]
fn assert_scrubbed(examples: &[(&str, &str)]) {
    let wrong: Vec<_> = examples
        .iter()
        .inspect(|(text, _)| assert!(may_contain_identifier(text), "{text:?} is skipped"))
        .map(|(text, expected)| (text, scrubbed(text), expected))
        .filter(|(_, scrubbed, expected)| scrubbed != *expected)
        .map(|(text, scrubbed, expected)| {
            format!("{text:?}\n  became {scrubbed:?}\n  not    {expected:?}\n")
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), examples.len(), wrong.concat());
}

#[test]
fn telephone_numbers() {
    assert_scrubbed(&[
        ("it's 2 0 2 5 5 5 0 1 2 3", "it's [phone]"),
        ("2-0-2-5-5-5-0-1-2-3 please", "[phone] please"),
        ("2 oh 2, 5 5 5, oh 1 2 3", "[phone]"),
        ("my number is 202, 555, 0123", "my number is [phone]"),
        ("202 uh 555 um 0123", "[phone]"),
        ("202 dash 555 dash 0123", "[phone]"),
        ("area code 202 and then 555 01 23", "area code [phone]"),
        ("(202)-555-0123", "[phone]"),
        ("[202] 555-0123", "[phone]"),
        ("202_555_0123", "[phone]"),
        ("202~555~0123", "[phone]"),
        ("202 / 555 / 0123", "[phone]"),
        ("202...555...0123", "[phone]"),
        ("+1.202.555.0123", "[phone]"),
        ("1 (202) 555 0123 ext 9", "[phone]"),
        ("+1 202 555-0123 extension 12", "[phone]"),
        ("tel:+1-202-555-0123", "tel:[phone]"),
        ("tel: 5550123", "tel: [phone]"),
        ("wa.me/447700900123", "[url]"),
        ("sms:2025550123", "sms:[phone]"),
        ("+44 (0)20 7946 0958", "[phone]"),
        ("+44 (0) 20 7946 0958", "[phone]"),
        ("07700900123 is mine", "[phone] is mine"),
        ("0612345678", "[phone]"),
        ("06.12.34.56.78", "[phone]"),
        ("mon numéro c'est le 06-12-34-56-78", "mon numéro c'est le [phone]"),
        ("Tel. 089 / 123 456-78", "Tel. [phone]"),
        ("meine Handynummer ist 0151 23456789", "meine Handynummer ist [phone]"),
        ("teléfono 600 12 34 56", "teléfono [phone]"),
        ("mi celular es 55 1234 5678", "mi celular es [phone]"),
        ("(21) 2555-0123", "[phone]"),
        ("+91 98765 43210", "[phone]"),
        ("电话：010-5555-0123。", "电话：[phone]。"),
        ("010-5550-0123입니다", "[phone]입니다"),
        ("phone%3A%20202-555-0123", "phone%3A%20[phone]"),
        ("phone=%2B12025550123", "phone=[phone]"),
        ("{\"callback_number\":\"5550123\"}", "{\"callback_number\":\"[phone]\"}"),
        ("２０２－５５５－０１２３", "[phone]"),
        ("𝟮𝟬𝟮 𝟱𝟱𝟱 𝟬𝟭𝟮𝟯", "[phone]"),
        ("②⓪②-⑤⑤⑤-⓪①②③", "[phone]"),
        (
            "2\u{20e3}0\u{20e3}2\u{20e3}5\u{20e3}5\u{20e3}5\u{20e3}0\u{20e3}1\u{20e3}2\u{20e3}3\u{20e3}",
            "[phone]",
        ),
        ("2\u{336}0\u{336}2\u{336}-5\u{336}5\u{336}5\u{336}-0123", "[phone]"),
        ("২০২-৫৫৫-০১২৩", "[phone]"),
        ("my cell, 202 555 0123, or home 202 555 0124", "my cell, [phone], or home [phone]"),
        ("call 202-555-0123/0124", "call [phone]"),
        ("202555-0123", "[phone]"),
        ("ph# 202.5550123", "ph# [phone]"),
        ("fax 202 5550123", "fax [phone]"),
        ("call me at 202.555.0123.", "call me at [phone]."),
        ("it's 202 5 5 5 0123", "it's [phone]"),
        ("202 555 0 1 2 3", "[phone]"),
        ("555-0123 is my cell", "[phone] is my cell"),
        ("555 0123 (work)", "[phone] (work)"),
        ("seven two oh 555 0123", "[phone]"),
        ("2O2-555-O123", "[phone]"),
        ("( 202 ) 555-0123", "[phone]"),
        ("202*555*0123", "[phone]"),
        ("00 44 20 7946 0958", "[phone]"),
    ]);
}

#[test]
fn email_addresses() {
    assert_scrubbed(&[
        ("jane dot roe at example dot org", "[email]"),
        ("Jane.Roe AT Example DOT Org", "[email]"),
        ("jane.roe(at)example(dot)org", "[email]"),
        ("jane.roe <at> example <dot> org", "[email]"),
        ("jane [dot] roe [at] example [dot] org", "[email]"),
        ("jane.roe@example[.]org", "[email]"),
        ("jane.roe@example dot org", "[email]"),
        ("jane.roe @example.org", "[email]"),
        ("jane.roe@ example.org", "[email]"),
        ("jane.roe at example.org works", "[email] works"),
        ("it is jroe 77 at mail dot example dot com", "it is [email]"),
        ("j-a-n-e at g m a i l dot com", "[email]"),
        ("jane arroba ejemplo punto com", "[email]"),
        ("jane punkt roe at beispiel punkt de", "[email]"),
        ("jane point roe arobase exemple point fr", "[email]"),
        ("mailto:jane%2Broe@example.org", "mailto:[email]"),
        ("jane.roe%40example%2Eorg", "[email]"),
        ("jane.roe&#64;example.org", "[email]"),
        ("jane-at-example-dot-org", "[email]"),
        ("janeroe at gmail dot com thanks", "[email] thanks"),
        ("jane underscore roe at example clinic dot org", "[email]"),
        ("ｊａｎｅ＠ｅｘａｍｐｌｅ．ｏｒｇ", "[email]"),
        ("jane\u{200b}.roe@exa\u{ad}mple.org", "[email]"),
        ("jane.roe@example.org,john@example.org", "[email],[email]"),
        ("'jane'@example.org", "[email]"),
        ("jane.roe@localhost.localdomain", "[email]"),
        ("jane.roe(a)example.org", "[email]"),
        ("jane dot roe at gmail", "[email]"),
        ("jane.roe@gmail", "[email]"),
        ("jane dot roe at the rate example dot org", "[email]"),
        ("jane, dot, roe, at, example, dot, org", "[email]"),
        ("jane.roe@example. com", "[email]"),
        ("jane@203.0.113.9", "[email]"),
    ]);
}

#[test]
fn dates() {
    assert_scrubbed(&[
        ("3 de marzo de 1980", "[date]"),
        ("el 3 de marzo", "el [date]"),
        ("le 1er février 1980", "le [date]"),
        ("né le 3 mars 1980", "né le [date]"),
        ("am 3. März 1980", "am [date]"),
        ("3. Mai 1980", "[date]"),
        ("1º de maio de 1980", "[date]"),
        ("3 dez. 1980", "[date]"),
        ("3-ene-1980", "[date]"),
        ("4MAR1980", "[date]"),
        ("04-Mar-80", "[date]"),
        ("Mar/04/1980", "[date]"),
        ("1980-Mar-04", "[date]"),
        ("4/Mar/1980", "[date]"),
        ("March 4th of 1980", "[date]"),
        ("the 4th day of March, 1980", "the [date]"),
        ("March fourth, 1980", "[date]"),
        ("the twenty-first of March 1980", "the [date]"),
        ("MARCH 4 1980", "[date]"),
        ("1980.03.04", "[date]"),
        ("04.03.80", "[date]"),
        ("3 / 4 / 1980", "[date]"),
        ("3 4 1980", "[date]"),
        ("born 3/4/80", "born [date]"),
        ("DOB: 3-4", "DOB: [date]"),
        ("DOB 030480", "DOB [date]"),
        ("dob is 3, 4, 1980", "dob is [date]"),
        ("born 3 uh 4 uh 80", "born [date]"),
        ("fecha de nacimiento: 04/03/80", "fecha de nacimiento: [date]"),
        ("geboren am 04.03.80", "geboren am [date]"),
        ("nascida em 04-03-1980", "nascida em [date]"),
        ("birthdate\":\"1980-03-04T10:00:00Z\"", "birthdate\":\"[date]\""),
        ("1980-03-04T00:00:00Z", "[date]"),
        ("2024-03-04T00:00:00.000Z", "[date]"),
        ("dob=19800304T000000", "dob=[date]"),
        ("BDAY:19800304", "BDAY:[date]"),
        ("1980年3月4日", "[date]"),
        ("month 3 day 4 year 1980", "[date]"),
        ("birthday's March 4", "birthday's [date]"),
        ("Dec. 5th, '80", "[date]"),
        ("5 Dec '80", "[date]"),
        ("12/25/1980-01/02/1981", "[date]"),
    ]);
}

#[test]
fn social_security_numbers() {
    assert_scrubbed(&[
        ("078.05.1120", "[ssn]"),
        ("078 - 05 - 1120", "[ssn]"),
        ("078 dash 05 dash 1120", "[ssn]"),
        ("0 7 8 0 5 1 1 2 0", "[ssn]"),
        ("social is 078, 05, 1120", "social is [ssn]"),
        ("SSN#078051120", "SSN#[ssn]"),
        ("\"ssn\": \"078051120\"", "\"ssn\": \"[ssn]\""),
        ("soc sec no. 078 05 1120", "soc sec no. [ssn]"),
        ("last four of her social, 1120", "last four of her social, [ssn]"),
        ("last 4 SSN 1120", "last 4 SSN [ssn]"),
        ("ssn ending in 1120", "ssn ending in [ssn]"),
        ("ssn last 4: 1120", "ssn last 4: [ssn]"),
        ("xxx-xx-1120", "xxx-xx-[ssn]"),
        ("XXXXX1120 is her SSN", "XXXXX[ssn] is her SSN"),
        ("the last four digits are 1120", "the last four digits are [ssn]"),
        ("last four 1 1 2 0", "last four [ssn]"),
        ("078051120 is my social", "[ssn] is my social"),
        ("my social security number, it's 078 05 1120", "my social security number, it's [ssn]"),
        ("0780\u{200b}51120 ssn", "[ssn] ssn"),
        ("QQ 12 34 56 C is no NINO, AB 12 34 56 C is", "QQ 12 34 56 C is no NINO, [ssn] is"),
    ]);
}

#[test]
fn record_numbers() {
    assert_scrubbed(&[
        ("claim number 24-118-0093", "claim number [record]"),
        ("the claim is CLM2024118", "the claim is [record]"),
        ("policy # HX-99 201 7", "policy # [record]"),
        ("member ID: XYZ 123 456 789", "member ID: [record]"),
        ("memberId=W123456789", "memberId=[record]"),
        ("\"mrn\":\"00123456\"", "\"mrn\":\"[record]\""),
        ("mrn is 1 2 3 4 5 6 7 8", "mrn is [record]"),
        (
            "medical record number ends up being 445 6671",
            "medical record number ends up being [record]",
        ),
        (
            "my insurance ID, let me see, is ZGP 882 104 551",
            "my insurance ID, let me see, is [record]",
        ),
        ("NPI 1234567893", "NPI [record]"),
        ("NPI: 1234-567-893", "NPI: [record]"),
        ("prior auth PA-0048213", "prior auth [record]"),
        ("authorization number A0048213", "authorization number [record]"),
        ("Rx# 6601234-02", "Rx# [record]"),
        ("prescription no 6601234", "prescription no [record]"),
        ("1EG4 TE5 MK73", "[record]"),
        ("1eg4te5mk73", "[record]"),
        ("passport AB1234567", "passport [record]"),
        ("driver's license D123-4567-8901", "driver's license [record]"),
        ("DL# S530-4607-1234", "DL# [record]"),
        ("número de póliza 88-1234567", "número de póliza [record]"),
        ("Versichertennummer A123456780", "Versichertennummer [record]"),
        ("numéro de dossier 2024-5567", "numéro de dossier [record]"),
        ("n.º de processo 445566", "n.º de processo [record]"),
        ("DNI 12345678Z", "DNI [record]"),
        ("12345678Z", "[record]"),
        ("123.456.789-09", "[record]"),
        ("it's 00123456, my chart number", "it's [record], my chart number"),
        ("H12-3456 was the policy", "[record] was the policy"),
        ("VIN 1HGCM82633A004352", "VIN [record]"),
        ("acct 0001234567", "acct [record]"),
        ("account ending in 4471", "account ending in [card]"),
        ("Group No: 55-0012", "Group No: [record]"),
        ("patient number four, I mean 445566", "patient number four, I mean [record]"),
        ("subscriber's ID is W12345678", "subscriber's ID is [record]"),
        ("serial number SN-4456-0012", "serial number [record]"),
        ("MRN #: 12-34-56", "MRN #: [record]"),
        ("hospital number 445566", "hospital number [record]"),
    ]);
}

#[test]
fn cards_and_accounts() {
    assert_scrubbed(&[
        ("4111.1111.1111.1111", "[card]"),
        ("4111 - 1111 - 1111 - 1111", "[card]"),
        ("4111, 1111, 1111, 1111", "[card]"),
        ("4111 uh 1111 then 1111 and 1111", "[card]"),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "[card]"),
        ("4111 1111 1111 1111 12/28 123", "[card] 12/28 123"),
        ("3714 496353 98431", "[card]"),
        ("3714.496353.98431", "[card]"),
        ("visa ending in 1111", "visa ending in [card]"),
        ("card ends with 1111", "card ends with [card]"),
        ("cvv 123", "cvv [card]"),
        ("the security code is 123", "the security code is [card]"),
        ("GB82 WEST 1234 5698 7654 32", "[card]"),
        ("gb82west12345698765432", "[card]"),
        ("GB82-WEST-1234-5698-7654-32 please", "[card] please"),
        ("NL91 ABNA 0417 1643 00", "[card]"),
        ("IBAN GB00 WEST 1234 5698 7654 32", "IBAN [card]"),
        ("routing number 021000021", "routing number [record]"),
        ("last four on the card 1111", "last four on the card [ssn]"),
        ("sort code 20-00-00 account 55779911", "sort code [record] account [record]"),
    ]);
}

#[test]
fn web_addresses() {
    assert_scrubbed(&[
        ("https://a.example/reset/9f86d081884c7d65", "[url]"),
        ("https://a.example/#token=abcdef", "[url]"),
        ("a.example/visit/12345", "[url]"),
        ("see www.a.example/p/445566.", "see [url]."),
        ("https://user:pw@a.example/", "[url]"),
        ("https://a.example/j/550e8400-e29b-41d4-a716-446655440000", "[url]"),
        ("myapp://open/visit/88213", "[url]"),
        ("bit.ly/3xYzAb9", "[url]"),
        ("a.example/r?t=abc", "[url]"),
        ("hxxp://a[.]example/p/445566", "[url]"),
        ("<a href=\"https://a.example/p/445566\">", "<a href=\"[url]\">"),
        ("zoom.us/j/98877665544", "[url]"),
        ("https://a.example/patients/1980/jane-roe-4455", "[url]"),
        ("https://a.example/confirm/eyJhbGciOiJIUzI1NiJ9.e30.abc", "[url]"),
        ("https://a.example/s/AbCdEfGh12", "[url]"),
        ("https://a.example/invite;id=77", "[url]"),
    ]);
}

#[test]
fn internet_addresses() {
    assert_scrubbed(&[
        ("203.0.113.9/24", "[ip]"),
        ("\u{fffd}203.0.113.9", "\u{fffd}[ip]"),
        ("203[.]0[.]113[.]9", "[ip]"),
        ("203.0.113[.]9", "[ip]"),
        ("203 dot 0 dot 113 dot 9", "[ip]"),
        ("ip=203.0.113.9,", "ip=[ip],"),
        ("http://203.0.113.9/", "http://[ip]/"),
        ("[2001:db8::1]:443", "[[ip]]:443"),
        ("2001:db8::/32", "[ip]"),
        ("fe80::1%eth0", "[ip]"),
        ("2001:db8::1.", "[ip]."),
        ("::ffff:203.0.113.9", "[ip]"),
        ("2001:0DB8:0000:0000:0000:0000:0000:0001", "[ip]"),
        ("from 203.0.113.9:", "from [ip]:"),
        ("203。0。113。9", "[ip]"),
    ]);
}

#[test]
fn ordinary_text_stays() {
    for text in [
        "I waited 45 minutes, then 30 more",
        "2024-03-04T10:11:12Z request took 1200 ms",
        "2024-03-04 10:11:12.345 started",
        "2015-06-07T08:09:10+02:00",
        "take 2 at 8 am and 2 at 8 pm",
        "blood pressure 128 over 82, pulse 72, temp 98.6",
        "glucose was 102, 98, 110 and 97",
        "weights 180, 182, 181, 179",
        "doses of 250 300 and 400 mg",
        "A1c 7.2 in March, 6.9 in June",
        "about 1,250,000 people",
        "pages 201-219 and 300-310",
        "version 4.5.6.7 is out",
        "build 10.0.190.1",
        "see section 3.2.1.4 of the plan",
        "policy on 2 visitors per patient, 3 at most",
        "member since 2019",
        "patient is 45 years old",
        "patient 45yo with 500mg dose",
        "case of 24 bottles",
        "visit 3 of 12",
        "group of 1200 people",
        "claim was for 1,250.00 dollars",
        "plan covers 80/20 after 5000 deductible",
        "record high of 108 degrees",
        "5 out of 10, set 3 of 4",
        "3 years ago, 5 times",
        "the second of two",
        "may 3 of us come",
        "1 2 3 4 5 6 7 8 9 10",
        "1, 2, 3, 4, 5, 6, 7",
        "10 9 8 7 6 5 4 3 2 1",
        "press 1 for English, 2 for Spanish",
        "polka dot dress at the store dot",
        "meet me at the lab at 3.30",
        "look at example.com or at example.org",
        "https://example.org/docs/getting-started",
        "https://example.org/2024/03/news",
        "https://example.org/releases/v1.2.3#changes",
        "example.com/help/billing",
        "either/or and and/or",
        "src/main.rs:120 and a/b.c",
        "text/html; charset=utf-8",
        "50%25 of 100%20",
        "ratio 3:2:1 and 10:30",
        "std::vec::Vec and a::b",
        "security code red",
        "call 911 or 988",
        "flight UA 1234 at gate B12",
        "room 1204, floor 12",
        "2 dozen at 3 each",
        "H2O2 3% solution",
        "ICD-10 E11.65, CPT 99213",
        "zip 80202",
        "order 4451 arrived",
        "unit number 445566",
        "error 0x80070005 in module 12",
        "9 to 5, Monday to Friday",
        "0.45-4.50 mIU/L",
        "1980s music, the 90s",
        "chapter 12, verses 3-5",
        "lat 39.7392, long -104.9903",
        "mean 12.5 (95% CI 10.1-14.9)",
        "she scored 7 7 8 9",
    ] {
        assert_eq!(scrubbed(text), text);
    }
}
