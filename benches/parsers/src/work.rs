//! What each parser is given.

use std::rc::Rc;

use bluegreen::{CookieName, EventStream, Headers, KeySource, Matcher, Policy, Report, Request};

use crate::Case;
use crate::inputs::{HEADERS, LARGE, block, filled, nested_hosts, nested_paths, policy, sent};

pub fn cases() -> Vec<Case> {
    let policy = Rc::new(policy());
    [
        cookies(),
        queries(),
        hosts(),
        paths(),
        feedback(&policy),
        feedback_queries(&policy),
        events(),
        requests(&policy),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn keys(
    parser: &'static str,
    shape: &'static str,
    source: KeySource,
    header: (&str, &str),
) -> Case {
    let block = block(&[header]);
    let run = move || {
        let request = Request {
            headers: Headers::new(&block),
            property: &|_| None,
        };
        source.key(&request).is_some()
    };
    let bytes = header.1.len();
    Case {
        parser,
        shape,
        bytes,
        limited: bytes > 10_000,
        run: Box::new(run),
    }
}

fn cookies() -> Vec<Case> {
    let case = |shape, name: &str, header: &str| {
        let name = CookieName::parse(name).expect("a name");
        keys("cookie", shape, KeySource::Cookie(name), ("cookie", header))
    };
    let ordinary = |pairs: usize| {
        let mut header: String = (0..pairs)
            .map(|i| format!("_ga_{i}=GS1.1.17000000{i}.3.1.17; "))
            .collect();
        header.push_str("uid=8f14e45fceea167a");
        header
    };
    vec![
        case("ordinary, 50 bytes", "uid", &ordinary(1)),
        case("ordinary, 4 KiB", "uid", &ordinary(126)),
        case(
            "`x` and `uid=` without end",
            "uid",
            &format!("x{}", filled("uid=")),
        ),
        case(
            "`x` and `u=` without end",
            "u",
            &format!("x{}", filled("u=")),
        ),
        case("`uid=` without end", "uid", &filled("uid=")),
        case("`uid;`", "uid", &filled("uid;")),
        case("`uid=;`", "uid", &filled("uid=;")),
        case("`uid=\"\";`", "uid", &filled("uid=\"\";")),
        case("`u;`", "u", &filled("u;")),
        case("`u=;`", "u", &filled("u=;")),
        case("`u`", "u", &filled("u")),
        case("`xu;`", "u", &filled("xu;")),
        case("`uid` and blanks", "uid", &filled("uid   ")),
        case("blanks around all", "uid", &filled("  uid  =  ;")),
        case(
            "`u` and blanks without end",
            "u",
            &format!("u{}", filled(" ")),
        ),
        case("`;`", "uid", &filled(";")),
        case("`=`", "uid", &filled("=")),
        case("`uiduix`", "uid", &filled("uix")),
        case("`d`", "uid", &filled("d")),
        case("one long value", "uid", &format!("uid={}", filled("c"))),
        case(
            "a name of 64 letters, but for the last",
            &"a".repeat(64),
            &filled("a"),
        ),
        case(
            "a name of 64 letters, almost",
            &format!("{}b", "a".repeat(63)),
            &filled(&format!("{};", "a".repeat(63))),
        ),
    ]
}

fn queries() -> Vec<Case> {
    let case = |shape, name: &str, path: &str| {
        let name = KeySource::parse_query(name).expect("a name");
        keys("query", shape, KeySource::Query(name), (":path", path))
    };
    vec![
        case("ordinary, 20 bytes", "user", "/v1/items?a=1&user=7"),
        case("`&`", "user", &format!("/?{}", filled("&"))),
        case("`user&`", "user", &format!("/?{}", filled("user&"))),
        case("`user=&`", "user", &format!("/?{}", filled("user=&"))),
        case("`u&`", "u", &format!("/?{}", filled("u&"))),
        case("`u=&`", "u", &format!("/?{}", filled("u=&"))),
        case("`?`", "u", &filled("?")),
        case(
            "`user=` without end",
            "user",
            &format!("/?x{}", filled("user=")),
        ),
        case("no query", "user", &format!("/{}", filled("a"))),
    ]
}

fn matches(
    parser: &'static str,
    shape: &'static str,
    matcher: &Rc<Matcher>,
    host: &str,
    path: &str,
) -> Case {
    let (matcher, bytes) = (Rc::clone(matcher), host.len() + path.len());
    let (host, path) = (host.to_owned(), path.to_owned());
    let run = move || {
        matcher
            .find(Some(host.as_bytes()), path.as_bytes())
            .is_some()
    };
    Case {
        parser,
        shape,
        bytes,
        limited: bytes > 200,
        run: Box::new(run),
    }
}

fn hosts() -> Vec<Case> {
    let matcher = Rc::new(nested_hosts());
    let case = |shape, host: &str| matches("host", shape, &matcher, host, "/none");
    vec![
        case("ordinary, 20 bytes", "api.shop.example.com"),
        case(
            "126 labels, each a suffix",
            &format!("x{}", ".a".repeat(126)),
        ),
        case("126 labels, no suffix", &format!("x{}b", ".a".repeat(125))),
        case("253 dots", &".".repeat(253)),
        case("253 letters", &"a".repeat(253)),
        case("58 KB of dots", &filled(".")),
        case("58 KB of ports", &filled(":80")),
    ]
}

fn paths() -> Vec<Case> {
    let matcher = Rc::new(nested_paths());
    let case = |shape, path: &str| matches("path", shape, &matcher, "a", path);
    vec![
        case("3 bytes, below 1,000 nested prefixes", "/ab"),
        case(
            "500 letters of 1,000 nested prefixes",
            &format!("/{}b", "a".repeat(500)),
        ),
        case(
            "1,000 letters of 1,000 nested prefixes",
            &format!("/{}b", "a".repeat(1_000)),
        ),
        case("58 KB of letters", &format!("/{}", filled("a"))),
        case("58 KB of slashes", &filled("/")),
    ]
}

/// Feedback that is good, and as long as can be.
const SCORES: &str = "a list of scores";

fn feedback(policy: &Rc<Policy>) -> Vec<Case> {
    let case = |shape, body: String| {
        let (policy, bytes) = (Rc::clone(policy), body.len());
        let run = move || {
            Report::read(body.as_bytes(), &policy)
                .map(Report::sums)
                .is_ok()
        };
        Case {
            parser: "feedback",
            shape,
            bytes,
            // Each score is worth some instructions.
            limited: shape != SCORES,
            run: Box::new(run),
        }
    };
    let object = |field: &str| format!("{{{}\"a\":0}}", field.repeat(LARGE / field.len()));
    let items = |rollout: &dyn Fn(usize) -> usize| {
        let item = |i| format!(r#"{{"rollout":"r{}","color":"green","tp":1}}"#, rollout(i));
        let items: Vec<String> = (0..1_000).map(item).collect();
        format!("[{}]", items.join(","))
    };
    let with_ids = (0..1_000).map(|i| format!(r#"{{"rollout":"r7","color":"green","id":"{i}"}}"#));
    let with_ids = format!("[{}]", with_ids.collect::<Vec<_>>().join(","));
    let scored = |list: &str| {
        let begin = r#"{"rollout":"r7","color":"green","scores":{"rating":["#;
        format!("{begin}{list}4]}}}}")
    };
    let fields: String = (0..LARGE / 10).map(|i| format!("\"{i}\":0,")).collect();
    vec![
        case("1,000 items of one rollout", items(&|_| 7)),
        case("1,000 items of 1,000 rollouts", items(&|i| i)),
        case("1,000 items with an id", with_ids),
        case(SCORES, scored(&filled("4.5,"))),
        case(
            "scores of many digits",
            scored(&filled("123456789.123456789,")),
        ),
        case("one long score", scored(&format!("{},", filled("1")))),
        case("one long exponent", scored(&format!("1e{},", filled("1")))),
        case("objects in scores", scored(&filled("{},"))),
        case("`[`", filled("[")),
        case("`[],`", format!("[{}[]]", filled("[],"))),
        case("`{},`", format!("[{}{{}}]", filled("{},"))),
        case("`0,`", format!("[{}0]", filled("0,"))),
        case("`{\"a\":`", filled("{\"a\":")),
        case("one name again and again", object("\"tp\":1,")),
        case("unknown names", format!("{{{fields}\"a\":0}}")),
        case("one long string", format!("\"{}\"", filled("a"))),
        case(
            "escapes",
            format!("{{\"rollout\":\"{}\"}}", filled("\\u0000")),
        ),
        case(
            "escaped quotes",
            format!("{{\"rollout\":\"{}\"}}", filled("\\\"")),
        ),
        case("one long number", format!("{{\"tp\":{}}}", filled("1"))),
        case("one long fraction", format!("{{\"tp\":1.{}}}", filled("1"))),
        case("blanks", filled(" ")),
        case("line feeds", filled("\n")),
        case("bytes that no text has", filled("\u{7f}\u{80}")),
    ]
}

fn feedback_queries(policy: &Rc<Policy>) -> Vec<Case> {
    let case = |shape, query: String| {
        let (policy, bytes) = (Rc::clone(policy), query.len());
        let run = move || {
            Report::is_in_query(query.as_bytes())
                | Report::read_query(query.as_bytes(), &policy).is_ok()
        };
        Case {
            parser: "feedback query",
            shape,
            bytes,
            limited: bytes > 200,
            run: Box::new(run),
        }
    };
    let filled_value = |name: &str, text: &str| format!("{name}={}", filled(text));
    vec![
        case("ordinary", "rollout=r7&color=green&tp=3&fn=1".to_owned()),
        case("`&`", filled("&")),
        case("`=`", filled("=")),
        case("`+`", filled("+")),
        case("`%`", filled("%")),
        case("`%74`", filled("%74")),
        case("one long rollout", filled_value("rollout", "r")),
        case("one long escaped rollout", filled_value("rollout", "%72")),
        case("one long number", filled_value("tp", "1")),
        case("one long zero", filled_value("tp", "0")),
        case("`%1&`", filled("%1&")),
        case("one name again and again", filled("tp=1&")),
        case("one long score", filled_value("score.rating", "1")),
        case("unknown scores", filled("score.a=1&")),
        case("bytes that no text has", filled_value("color", "%ff")),
    ]
}

/// All lookups of a request that is routed, in the order in which they are made.
fn requests(policy: &Rc<Policy>) -> Vec<Case> {
    let case = |shape, headers: &[(&str, &str)]| {
        let mut all = vec![
            (":method", "GET"),
            (":authority", "a"),
            (":path", "/"),
            (":scheme", "http"),
        ];
        all.retain(|(name, _)| headers.iter().all(|(given, _)| given != name));
        all.extend(headers);
        let (policy, block, bytes) = (Rc::clone(policy), block(&all), sent(&all));
        let run = move || route(&policy, &block);
        Case {
            parser: "request",
            shape,
            bytes,
            limited: bytes > 10_000,
            run: Box::new(run),
        }
    };
    let ordinary = [
        ("user-agent", "curl/8.0"),
        ("accept", "*/*"),
        ("x-request-id", "5"),
        ("x-user-id", "u1"),
        ("cookie", "a=b"),
    ];
    let tokens: Vec<(&str, &str)> = [("x-color", "blue")]
        .into_iter()
        .chain([("x-token-0", "t"); HEADERS])
        .collect();
    vec![
        case("ordinary, 9 headers", &ordinary),
        case("100 short headers", &[("a", ""); HEADERS]),
        case("100 empty keys", &[("x-user-id", ""); HEADERS]),
        case("100 tokens", &tokens),
        case(
            "58 KB of token",
            &[("x-color", "blue"), ("x-token-0", &filled("t"))],
        ),
        case("58 KB of `u;`", &[("cookie", &filled("u;"))]),
        case("58 KB of `uid;`", &[("cookie", &filled("uid;"))]),
        case("58 KB of `color;`", &[("cookie", &filled("color;"))]),
        case(
            "58 KB of `x` and `uid=`",
            &[("cookie", &format!("x{}", filled("uid=")))],
        ),
        case(
            "100 cookies",
            &[("cookie", "u;".repeat(LARGE / HEADERS / 2).as_str()); HEADERS],
        ),
        case("58 KB of `&`", &[(":path", &format!("/?{}", filled("&")))]),
        case(
            "58 KB of `u=&`",
            &[(":path", &format!("/?{}", filled("u=&")))],
        ),
        case("58 KB of key", &[("x-user-id", &filled("k"))]),
    ]
}

/// Server-sent events, in one piece and byte by byte.
fn events() -> Vec<Case> {
    let case = |shape, text: &str, size: usize| {
        let stream = text.to_owned();
        let run = move || {
            let mut events = EventStream::default();
            for piece in stream.as_bytes().chunks(size) {
                events.read(piece);
            }
            events.has_failed()
        };
        Case {
            parser: "events",
            shape,
            bytes: text.len(),
            // A call for each byte says little of the parser.
            limited: text.len() > 10_000 && size > 1,
            run: Box::new(run),
        }
    };
    let token = "data: {\"choices\":[{\"delta\":{\"content\":\" and\"}}]}\n\n";
    vec![
        case("ordinary, one token", token, LARGE),
        case("tokens", &filled(token), LARGE),
        case("tokens, byte by byte", &filled(token), 1),
        case("`x`", &filled("x"), LARGE),
        case("line feeds", &filled("\n"), LARGE),
        case("carriage returns", &filled("\r"), LARGE),
        case("`:` and line feed", &filled(":\n"), LARGE),
        case(
            "`event: erro` and line feed",
            &filled("event: erro\n"),
            LARGE,
        ),
        case("`event: error` without end", &filled("event: error"), LARGE),
        case(
            "`event: error` and line feed",
            &filled("event: error\n"),
            LARGE,
        ),
    ]
}

fn route(policy: &Policy, block: &[u8]) -> bool {
    let headers = Headers::new(block);
    let feedback = policy.feedback.as_ref().expect("feedback");
    let is_feedback = feedback.is_at(headers.first(":path").unwrap_or_default());
    let secrets = policy.secrets_in(&headers).len();
    let rollout = policy
        .find(&headers)
        .and_then(|index| policy.rollouts.get(index))
        .expect("a rollout");
    let request = Request {
        headers,
        property: &|_| None,
    };
    let mut rng = fastrand::Rng::with_seed(1);
    let decision = rollout.decide(&request, rollout.weights, &mut rng);
    let _ = request.headers.first("content-type");
    let _ = request.headers.first(policy.route_header.as_str());
    is_feedback || secrets > 0 || decision.new_id.is_some()
}
