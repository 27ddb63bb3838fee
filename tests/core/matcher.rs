//! Which rollout a request belongs to.

use crate::support::{block, policy, rollout_json};
use bluegreen::{Headers, Policy};
use serde_json::{Value, json};

/// A policy whose rollouts have these hosts and path prefixes.
fn rollouts(matches: &[(&[&str], &str)]) -> Policy {
    let rollouts = matches.iter().enumerate().map(|(index, (hosts, prefix))| {
        let mut fields = json!({});
        if !hosts.is_empty() {
            fields["hosts"] = json!(hosts);
        }
        if !prefix.is_empty() {
            fields["path_prefix"] = json!(prefix);
        }
        rollout_json(&format!("r{index}"), &json!({ "match": fields }))
    });
    policy(&json!({ "rollouts": rollouts.collect::<Vec<Value>>() }))
}

fn find(policy: &Policy, authority: impl AsRef<[u8]>, path: &str) -> Option<usize> {
    let headers = [
        (&b":authority"[..], authority.as_ref()),
        (b":path", path.as_bytes()),
    ];
    policy.find(&Headers::new(&block(&headers)))
}

#[test]
fn most_specific_match_wins_in_any_order() {
    let matches: [(&[&str], &str); 5] = [
        (&[], ""),
        (&["*.example"], "/v1/users/"),
        (&["*.shop.example"], ""),
        (&["eu.shop.example"], ""),
        (&["eu.shop.example"], "/v1/"),
    ];
    for turn in 0..matches.len() {
        for backwards in [false, true] {
            let mut order: Vec<usize> = (0..matches.len()).collect();
            order.rotate_left(turn);
            if backwards {
                order.reverse();
            }
            let sorted: Vec<_> = order.iter().map(|&index| matches[index]).collect();
            let policy = rollouts(&sorted);
            let found = |host, path| find(&policy, host, path).map(|index| order[index]);
            assert_eq!(found("eu.shop.example", "/v1/users/7"), Some(4));
            assert_eq!(found("eu.shop.example", "/v2/"), Some(3));
            assert_eq!(found("us.shop.example", "/v1/users/7"), Some(2));
            assert_eq!(found("other.example", "/v1/users/7"), Some(1));
            assert_eq!(found("other.example", "/"), Some(0));
        }
    }
}

#[test]
fn exact_host_is_matched_in_any_case_and_with_any_port() {
    let policy = rollouts(&[(&["API.example.com"], "")]);
    for host in [
        "api.example.com",
        "API.EXAMPLE.COM",
        "api.example.com:80",
        "Api.Example.com:10000",
        "api.example.com:",
    ] {
        assert_eq!(find(&policy, host, "/"), Some(0), "{host}");
    }
    for host in [
        "",
        "example.com",
        "xapi.example.com",
        "api.example.comx",
        "api.example.com.",
        ":80",
        "a.api.example.com",
    ] {
        assert_eq!(find(&policy, host, "/"), None, "{host}");
    }
}

#[test]
fn suffix_needs_one_label_or_more_before_it() {
    let policy = rollouts(&[(&["*.Shop.example"], "")]);
    for host in [
        "eu.shop.example",
        "a.b.c.shop.example",
        "EU.SHOP.EXAMPLE:443",
    ] {
        assert_eq!(find(&policy, host, "/"), Some(0), "{host}");
    }
    for host in [
        "shop.example",
        ".shop.example",
        "xshop.example",
        "eu.shop.example.org",
        "shop.example:80",
    ] {
        assert_eq!(find(&policy, host, "/"), None, "{host}");
    }
}

#[test]
fn ipv6_hosts_are_matched_with_and_without_port() {
    let policy = rollouts(&[(&["[2001:DB8::1]"], ""), (&["192.0.2.1"], "")]);
    for (host, found) in [
        ("[2001:db8::1]", Some(0)),
        ("[2001:db8::1]:8080", Some(0)),
        ("[2001:db8::2]", None),
        ("2001:db8::1", None),
        ("192.0.2.1", Some(1)),
        ("192.0.2.1:80", Some(1)),
    ] {
        assert_eq!(find(&policy, host, "/"), found, "{host}");
    }
}

#[test]
fn longest_prefix_wins_and_the_query_is_no_part_of_the_path() {
    let policy = rollouts(&[
        (&[], "/v1"),
        (&[], "/v1/users"),
        (&[], "/v1/users/7/x"),
        (&[], "/v1/z"),
    ]);
    for (path, found) in [
        ("/v1", Some(0)),
        ("/v1x", Some(0)),
        ("/v1/user", Some(0)),
        ("/v1/usez", Some(0)),
        ("/v1/users", Some(1)),
        ("/v1/users/7/w", Some(1)),
        ("/v1/users/7/x", Some(2)),
        ("/v1/users/7/y", Some(1)),
        ("/v1/y", Some(0)),
        ("/v1/zz", Some(3)),
        ("/v1?/users", Some(0)),
        ("/v?/v1", None),
        ("/V1", None),
        ("/", None),
        ("", None),
        ("*", None),
    ] {
        assert_eq!(find(&policy, "any", path), found, "{path}");
    }
}

#[test]
fn host_without_the_prefix_leaves_the_request_to_the_next_host() {
    let policy = rollouts(&[
        (&["a.b.example"], "/exact"),
        (&["*.b.example"], "/long"),
        (&["*.example"], "/short"),
        (&[], "/any"),
    ]);
    for (path, found) in [
        ("/exact", Some(0)),
        ("/long", Some(1)),
        ("/short", Some(2)),
        ("/any", Some(3)),
        ("/", None),
    ] {
        assert_eq!(find(&policy, "a.b.example", path), found, "{path}");
    }
}

#[test]
fn one_rollout_may_have_several_hosts() {
    let policy = rollouts(&[(&["a.example", "*.b.example", "c.example"], "")]);
    let found =
        ["a.example", "x.b.example", "c.example", "d.example"].map(|host| find(&policy, host, "/"));
    assert_eq!(found, [Some(0), Some(0), Some(0), None]);
}

#[test]
fn request_without_authority_or_path_fits_any_alone() {
    let any = rollouts(&[(&["a.example"], ""), (&[], "")]);
    let host_alone = rollouts(&[(&["a.example"], "")]);
    let prefix_alone = rollouts(&[(&[], "/")]);
    assert_eq!(any.find(&Headers::new(&[])), Some(1));
    assert_eq!(host_alone.find(&Headers::new(&[])), None);
    assert_eq!(prefix_alone.find(&Headers::new(&[])), None);
    let connect = block(&[(":authority", "a.example:443")]);
    assert_eq!(any.find(&Headers::new(&connect)), Some(0));
}

#[test]
fn hosts_of_any_bytes_are_passed_over() {
    let policy = rollouts(&[(&["*.example"], ""), (&[], "/any")]);
    assert_eq!(find(&policy, b"\xff\xfe.example", "/"), Some(0));
    for host in [
        &b"\xff"[..],
        b"\0",
        b"...",
        b"[",
        b"]",
        b"[]:",
        b":::",
        b".example\xff",
    ] {
        assert_eq!(find(&policy, host, "/any"), Some(1), "{host:?}");
        assert_eq!(find(&policy, host, "/"), None, "{host:?}");
    }
}

#[test]
fn hosts_longer_than_dns_knows_match_no_pattern() {
    let policy = rollouts(&[(&["*.example"], ""), (&[], "/any")]);
    let host = |length: usize| format!("{}.example", "a".repeat(length - ".example".len()));
    assert_eq!(find(&policy, host(253), "/any"), Some(0));
    assert_eq!(find(&policy, host(253) + ":65535", "/any"), Some(0));
    assert_eq!(find(&policy, host(254), "/any"), Some(1));
    assert_eq!(find(&policy, host(60_000), "/"), None);
    assert_eq!(find(&policy, ".".repeat(60_000), "/any"), Some(1));
}

#[test]
fn each_of_a_thousand_rollouts_is_found() {
    let hosts: Vec<String> = (0..1_000)
        .map(|index| format!("h{}.example", index / 10))
        .collect();
    let prefixes: Vec<String> = (0..1_000)
        .map(|index| "/p".repeat(index % 10 + 1))
        .collect();
    let matches: Vec<[&str; 1]> = hosts.iter().map(|host| [host.as_str()]).collect();
    let matches: Vec<(&[&str], &str)> = matches
        .iter()
        .zip(&prefixes)
        .map(|(hosts, prefix)| (&hosts[..], prefix.as_str()))
        .collect();
    let policy = rollouts(&matches);
    for (index, (host, prefix)) in hosts.iter().zip(&prefixes).enumerate() {
        assert_eq!(find(&policy, host, &format!("{prefix}/x")), Some(index));
    }
}
