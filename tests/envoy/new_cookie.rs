//! Users who come without a key get an id.

use std::collections::HashSet;

use serde_json::json;
use testbed::{TestEnv, color, get};

use crate::common::{HALF, config, server};

#[tokio::test]
async fn a_new_id_decides_at_once_and_ever_after() {
    let sticky =
        json!([{ "header": "x-user-id" }, { "new_cookie": { "name": "bg", "max_age": "30d" } }]);
    let env = TestEnv::start(config(HALF, sticky)).await;
    let client = env.http1().connection_per_request();
    let (mut ids, mut colors) = (HashSet::new(), HashSet::new());
    for _ in 0..100 {
        let response = client
            .send(get("/").header("x-test-response-header", "set-cookie: theirs=1"))
            .await;
        let cookies: Vec<&str> = response
            .headers
            .get_all("set-cookie")
            .iter()
            .map(|cookie| cookie.to_str().expect("ASCII"))
            .collect();
        let [theirs, ours] = cookies[..] else {
            panic!("two cookies, not {cookies:?}");
        };
        assert_eq!(theirs, "theirs=1");
        let (pair, attributes) = ours.split_once("; ").expect("attributes");
        assert_eq!(
            attributes,
            "Path=/; Max-Age=2592000; SameSite=Lax; HttpOnly"
        );
        let id = pair.strip_prefix("bg=").expect("the cookie's name");
        assert!(
            id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{id}"
        );
        assert_eq!(server(&response), color("demo", id, HALF), "{id}");

        let next = client.send(get("/").header("cookie", pair)).await;
        assert_eq!(server(&next), server(&response));
        assert_eq!(next.header("set-cookie"), None);
        ids.insert(id.to_owned());
        colors.insert(server(&response).to_owned());
    }
    assert_eq!(
        (ids.len(), colors.len()),
        (100, 2),
        "ids must differ on all workers"
    );
    env.assert_all_workers_took_connections().await;

    let named = client.send(get("/").header("x-user-id", "u1")).await;
    assert_eq!(
        named.header("set-cookie"),
        None,
        "a user with a key needs no id"
    );
}

#[tokio::test]
async fn a_new_cookie_has_the_attributes_of_its_config() {
    let env = TestEnv::start(config(0, json!([]))).await;
    let table = [
        (json!({ "name": "s" }), "s=; Path=/; SameSite=Lax; HttpOnly"),
        (
            json!({ "name": "s", "max_age": "1h 30m", "path": "/v1", "same_site": "strict" }),
            "s=; Path=/v1; Max-Age=5400; SameSite=Strict; HttpOnly",
        ),
        (
            json!({ "name": "s", "domain": "shop.example", "same_site": "none", "secure": true }),
            "s=; Path=/; Domain=shop.example; SameSite=None; Secure; HttpOnly",
        ),
    ];
    for (cookie, expected) in table {
        env.push(config(0, json!([{ "new_cookie": cookie }]))).await;
        let response = env.http1().get("/").await;
        let set = response.header("set-cookie").expect("a cookie");
        let (pair, attributes) = set.split_once(';').expect("attributes");
        assert_eq!(format!("{};{attributes}", &pair[..2]), expected);
    }
}
