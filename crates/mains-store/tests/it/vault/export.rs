use super::{exchange, keep, open};
use mains_store::log::double::DoubleDisk;
use mains_store::vault::export::line;
use mains_store::vault::{Body, Exchange, VaultFilter};
use serde_json::Value;

#[test]
fn a_line_says_what_was_asked_and_answered() {
    let mut chat = exchange(3);
    chat.asked.bytes = b"{\n  \"temperature\": 0.70,\n  \"a\": 1\n}".to_vec();
    chat.answer = Body {
        content_type: "text/event-stream".into(),
        bytes: b"data: {\"x\": 1}\n\ndata: [DONE]\n\n".to_vec(),
    };
    assert_eq!(
        line(&chat),
        r#"{"v":1,"request":"req_000000000000000000000003","at":"2026-11-24T12:03:00.000Z","route":"large","project":"search","target":"here/small","model":"small","dialect":"openai_chat","status":200,"asked_type":"application/json","asked":{"temperature":0.70,"a":1},"answer_type":"text/event-stream","answer_text":"data: {\"x\": 1}\n\ndata: [DONE]\n\n"}
"#
    );
    let bare = Exchange {
        route: None,
        project: None,
        target: None,
        model: None,
        asked: Body { content_type: String::new(), bytes: vec![0xFF, 0x00] },
        answer: Body { content_type: "application/json".into(), bytes: b" [ ] ".to_vec() },
        ..exchange(1)
    };
    let text = line(&bare);
    assert!(text.contains(r#""route":null,"project":null,"target":null,"model":null"#), "{text}");
    assert!(
        text.contains(r#""asked_base64":"/wA=","answer_type":"application/json","answer":[]}"#),
        "{text}"
    );
}

#[test]
fn an_export_is_one_valid_line_an_exchange() {
    let folder = tempfile::tempdir().unwrap();
    let (mut vault, _) = open(&DoubleDisk::new(), &folder.path().join("keys.db")).unwrap();
    keep(&mut vault, 0..20);
    let filter = VaultFilter { project: Some("search".into()), ..VaultFilter::default() };
    let text: String = vault.reader().exchanges(filter).map(|exchange| line(&exchange.unwrap())).collect();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 7);
    for (line, number) in lines.iter().zip((0..20).step_by(3)) {
        assert_eq!(line["request"], super::id(number).to_string());
        assert_eq!(line["asked"]["prompt"], format!("secret question {number}"));
    }
}
