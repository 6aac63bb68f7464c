//! Budgets in money and energy, as a client meets them.

use crate::harness::{Running, Upstream, chat, client, get, one, ordinary, post};
use serde_json::json;

fn capped(upstream: std::net::SocketAddr, caps: &str) -> String {
    format!("{}[[budget]]\nscope = \"organisation\"\nper = \"month\"\n{caps}\n", one(upstream))
}

#[tokio::test]
async fn an_empty_budget_is_402_and_clients_are_told_not_to_try_again() {
    let upstream = Upstream::start(ordinary).await;
    // The worst case of one request is about $0.00002; the cap holds one and no second.
    let running = Running::start("", &capped(upstream.address, "usd = 0.00004")).await;
    let client = client();
    let mut refused = None;
    for _ in 0..20 {
        let got = post(&client, running.address, "/v1/chat/completions", chat("m", false)).await;
        if got.status != 200 {
            refused = Some(got);
            break;
        }
    }
    let refused = refused.expect("the budget ends");
    assert_eq!(refused.status, 402, "{}", refused.text());
    assert_eq!(refused.header("x-should-retry"), "false");
    assert_eq!(refused.json()["error"]["code"], "budget_exceeded");
    assert!(
        refused.json()["error"]["message"].as_str().unwrap().contains("organisation"),
        "{}",
        refused.text()
    );
    let body = json!({"model": "m", "max_tokens": 900, "messages": [{"role": "user", "content": "hello"}]})
        .to_string();
    let anthropic = post(&client, running.address, "/v1/messages", body).await;
    assert_eq!(
        (anthropic.status, anthropic.json()["error"]["type"].as_str().unwrap()),
        (402, "billing_error")
    );
    let budgets = get(&client, running.address, "/mains/v1/budgets").await.json();
    let budget = &budgets["budgets"][0];
    assert!(budget["used"].as_u64().unwrap() <= budget["limit"].as_u64().unwrap(), "{budget}");
    assert_eq!(budget["held"], 0, "every hold is settled");
    running.finish().await;
}

#[tokio::test]
async fn an_energy_cap_binds_only_on_the_grade_that_it_names() {
    let upstream = Upstream::start(ordinary).await;
    // The figures are of grade D: below B they are reported and do not bind.
    let lenient = Running::start("", &capped(upstream.address, "kwh = 0.000000001")).await;
    assert_eq!(post(&client(), lenient.address, "/v1/chat/completions", chat("m", false)).await.status, 200);
    lenient.finish().await;
    let strict = Running::start("", &capped(upstream.address, "kwh = 0.000000001\ngrade = \"D\"")).await;
    let got = post(&client(), strict.address, "/v1/chat/completions", chat("m", false)).await;
    assert_eq!(got.status, 402, "{}", got.text());
    strict.finish().await;
}

#[tokio::test]
async fn a_rate_is_429_with_a_time_to_come_back() {
    let upstream = Upstream::start(ordinary).await;
    let config = format!(
        "{}[[budget]]\nscope = \"organisation\"\nper = \"hour\"\nrequests = 1\n",
        one(upstream.address)
    );
    let running = Running::start("", &config).await;
    let client = client();
    assert_eq!(post(&client, running.address, "/v1/chat/completions", chat("m", false)).await.status, 200);
    let got = post(&client, running.address, "/v1/chat/completions", chat("m", false)).await;
    assert_eq!(got.status, 429, "{}", got.text());
    assert!(got.header("retry-after").parse::<u64>().unwrap() <= 3_600);
    running.finish().await;
}
