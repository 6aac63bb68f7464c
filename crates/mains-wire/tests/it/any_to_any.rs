//! Laws that hold for whatever is asked and answered, in every dialect. The seed is fixed: the same cases
//! each time; `PROPTEST_RNG_SEED` takes another.

use crate::codecs::read_stream;
use crate::golden;
use mains_units::Usage;
use mains_wire::Dialect;
use mains_wire::dialects::{StreamEnd, WriteOptions, openai_embeddings};
use mains_wire::neutral::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const BOTH: [Dialect; 2] = [Dialect::OpenaiChat, Dialect::AnthropicMessages];

fn config(cases: u32) -> ProptestConfig {
    let rng_seed = std::env::var("PROPTEST_RNG_SEED").ok().and_then(|seed| seed.parse().ok());
    let rng_seed = rng_seed.map_or(RngSeed::Fixed(2_300), RngSeed::Fixed);
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

fn options(model: &str) -> WriteOptions {
    WriteOptions {
        model: Some(model.into()),
        cache_marks: true,
        always_usage: false,
        ..WriteOptions::default()
    }
}

/// The models that a law is tried with.
fn models(dialect: Dialect) -> &'static [&'static str] {
    if dialect == Dialect::AnthropicMessages {
        &["claude-sonnet-4-5", "claude-sonnet-4-6", "claude-opus-5"]
    } else {
        &["gpt-5.2"]
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,8}", "[\"\\\\\u{0}-\u{1f}é😀{}\\[\\],:]{1,6}", "\\PC{1,12}"]
}

fn word() -> impl Strategy<Value = String> {
    "[a-z]{1,6}"
}

fn json_object() -> impl Strategy<Value = Json> {
    let value =
        prop_oneof![Just("1.50"), Just("[1e2, null]"), Just("{\"z\":1,\"a\":{}}"), Just("\"\\u00e9\"")];
    vec((word(), value), 0..3).prop_map(|mut members| {
        members.sort_unstable_by(|one, other| other.cmp(one));
        members.dedup_by(|one, other| one.0 == other.0);
        let members: Vec<String> = members.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
        Json::parse(&format!("{{{}}}", members.join(", "))).unwrap()
    })
}

fn call() -> impl Strategy<Value = Content> {
    (word(), word(), json_object()).prop_map(|(id, name, arguments)| {
        let arguments = arguments.as_str().into();
        Content::ToolCall(ToolCall { id, name, arguments, kind: CallKind::Function })
    })
}

fn said() -> impl Strategy<Value = Content> {
    text().prop_map(|text| Content::Text { text, citations: Vec::new() })
}

fn picture() -> impl Strategy<Value = Content> {
    let source = prop_oneof![
        Just(Source::Url("https://example.org/a.png".into())),
        Just(Source::Base64 { media_type: "image/png".into(), data: "iVBORw0KGgo=".into() }),
    ];
    source.prop_map(|source| Content::Image { source, detail: None })
}

fn result() -> impl Strategy<Value = Content> {
    (word(), vec(said(), 1..3)).prop_map(|(call_id, content)| {
        let content = content.into_iter().map(Block::new).collect();
        Content::ToolResult(ToolResult { call_id, content, is_error: false })
    })
}

fn blocks(content: Vec<Content>) -> Vec<Block> {
    content.into_iter().map(Block::new).collect()
}

/// A conversation that both dialects can say without loss.
fn plain_messages() -> impl Strategy<Value = Vec<Message>> {
    let user = prop_oneof![vec(prop_oneof![3 => said(), 1 => picture()], 1..3), vec(result(), 1..3),];
    let assistant = (vec(said(), 0..3), vec(call(), 1..3)).prop_map(|(said, calls)| [said, calls].concat());
    let turn = |role| move |content| Message { role, name: None, blocks: blocks(content) };
    let pair = (user.prop_map(turn(Role::User)), assistant.prop_map(turn(Role::Assistant)));
    vec(pair, 1..4).prop_map(|pairs| pairs.into_iter().flat_map(|(one, other)| [one, other]).collect())
}

fn tool() -> impl Strategy<Value = Tool> {
    (word(), option::of(text()), json_object(), option::of(any::<bool>())).prop_map(
        |(name, description, schema, strict)| {
            let kind = ToolKind::Function { schema: Some(schema), strict };
            Tool { name, description, kind, cache: None }
        },
    )
}

fn tool_choice() -> impl Strategy<Value = ToolChoice> {
    prop_oneof![
        Just(ToolChoice::Auto),
        Just(ToolChoice::Required),
        word().prop_map(|name| ToolChoice::Named { name, kind: CallKind::Function }),
    ]
}

/// A question that both dialects can say without loss, on a model that takes sampling.
fn plain_question() -> impl Strategy<Value = Question> {
    let tools = (vec(tool(), 1..3), option::of((tool_choice(), option::of(any::<bool>()))));
    let numbers = (option::of(0_u32..=10), option::of(1_u32..=10));
    let rest =
        (vec(word(), 0..=4), 1_u64..9_000, option::of(text()), any::<bool>(), option::of(json_object()));
    (vec(said(), 0..3), plain_messages(), option::of(tools), numbers, rest).prop_map(
        |(instructions, messages, tools, (temperature, top_p), rest)| {
            let (tools, choice) = tools.unwrap_or_default();
            let (tool_choice, parallel) = choice.map_or((None, None), |(one, other)| (Some(one), other));
            let (stop, max_output_tokens, user, stream, schema) = rest;
            let system = Message { role: Role::System, name: None, blocks: blocks(instructions) };
            Question {
                model: "m".into(),
                instructions: Some(system).filter(|system| !system.blocks.is_empty()).into_iter().collect(),
                messages,
                tools,
                tool_choice,
                parallel_tools: parallel,
                format: schema.map(|schema| AnswerFormat::JsonSchema {
                    name: None,
                    description: None,
                    schema,
                    strict: Some(true),
                }),
                sampling: Sampling {
                    temperature: temperature.map(|tenths| f64::from(tenths) / 10.0),
                    top_p: top_p.map(|tenths| f64::from(tenths) / 10.0),
                    ..Sampling::default()
                },
                stop,
                max_output_tokens: Some(max_output_tokens),
                user,
                stream,
                ..Question::default()
            }
        },
    )
}

/// A block that some dialect cannot say at its place.
fn odd_block() -> impl Strategy<Value = Block> {
    let reasoning =
        (text(), option::of(word())).prop_map(|(text, signature)| Content::Reasoning { text, signature });
    let file = (
        prop_oneof![
            Just(Source::FileId("f".into())),
            Just(Source::Text("t".into())),
            Just(Source::Url("u".into())),
            Just(Source::Base64 { media_type: "application/pdf".into(), data: "JVBERi0=".into() }),
        ],
        option::of(word()),
        option::of(word()),
        any::<bool>(),
    )
        .prop_map(|(source, name, context, citations)| Content::File {
            source,
            name,
            context,
            citations,
        });
    let content = prop_oneof![
        said(),
        Just(Content::Text { text: String::new(), citations: Vec::new() }),
        picture(),
        call(),
        (text(), text()).prop_map(|(id, arguments)| Content::ToolCall(ToolCall {
            id,
            name: "f".into(),
            arguments,
            kind: CallKind::Function
        })),
        (word(), text()).prop_map(|(id, arguments)| Content::ToolCall(ToolCall {
            id,
            name: "f".into(),
            arguments,
            kind: CallKind::Custom
        })),
        result(),
        reasoning,
        word().prop_map(|data| Content::RedactedReasoning { data }),
        text().prop_map(|text| Content::Refusal { text }),
        Just(Content::Audio { data: "UklGRg==".into(), format: "wav".into() }),
        file,
        json_object().prop_map(|raw| Content::Foreign { dialect: Dialect::OpenaiResponses, raw }),
    ];
    let minutes = option::of(prop_oneof![Just(5_u32), Just(30), Just(60), Just(720), Just(7)]);
    let cache = option::of(minutes.prop_map(|minutes| CacheMark { minutes }));
    (content, cache).prop_map(|(content, cache)| Block { content, cache })
}

/// Anything at all.
fn odd_question() -> impl Strategy<Value = Question> {
    let role = prop_oneof![
        1 => Just(Role::System),
        1 => Just(Role::Developer),
        3 => Just(Role::User),
        3 => Just(Role::Assistant)
    ];
    // Something that can be said first: a turn of which nothing is left joins its neighbours, another law.
    let message = (role, option::of(word()), said(), vec(odd_block(), 0..4)).prop_map(
        |(role, name, first, mut blocks)| {
            blocks.insert(0, Block::new(first));
            Message { role, name, blocks }
        },
    );
    let effort = option::of(proptest::sample::select(Effort::ALL.to_vec()));
    let display = || option::of(any::<bool>());
    let thinking = option::of(prop_oneof![
        Just(Thinking::Disabled),
        Just(Thinking::BetweenTools),
        display().prop_map(|omitted| Thinking::Adaptive { omitted }),
        (1_024_u64..50_000, display()).prop_map(|(tokens, omitted)| Thinking::Budget { tokens, omitted }),
    ]);
    let numbers = (any::<bool>(), option::of(0_u64..100), option::of(any::<i64>()), option::of(1_u32..4));
    (plain_question(), vec(message, 0..6), effort, thinking, numbers).prop_map(
        |(plain, messages, effort, thinking, (keep_limit, top_k, seed, n))| Question {
            messages,
            effort,
            thinking,
            max_output_tokens: plain.max_output_tokens.filter(|_| keep_limit),
            sampling: Sampling { top_k, seed, n, ..plain.sampling.clone() },
            ..plain
        },
    )
}

fn usage() -> impl Strategy<Value = Usage> {
    let count = || 0_u64..1_000_000;
    (count(), count(), count(), count(), count()).prop_map(
        |(input, cached_read, cached_write, output, more)| Usage {
            input,
            cached_read,
            cached_write,
            output,
            reasoning: output.min(more),
        },
    )
}

/// An answer, its blocks in the order in which both dialects say them.
fn answer() -> impl Strategy<Value = Answer> {
    let thought = (text(), word())
        .prop_map(|(text, signature)| Content::Reasoning { text, signature: Some(signature) });
    let encrypted = word().prop_map(|data| Content::RedactedReasoning { data });
    let stop = prop_oneof![
        Just(StopReason::EndTurn),
        Just(StopReason::MaxTokens),
        Just(StopReason::ToolUse),
        option::of(word()).prop_map(StopReason::StopSequence),
        Just(StopReason::ContextWindow),
        Just(StopReason::Refusal { category: None, explanation: None }),
    ];
    let content = (
        vec(prop_oneof![thought, encrypted], 0..3),
        option::of(said()),
        option::of(text().prop_map(|text| Content::Refusal { text })),
        vec(call(), 0..3),
    )
        .prop_map(|(thoughts, said, refusal, calls)| {
            let middle: Vec<Content> = said.into_iter().chain(refusal).collect();
            blocks([thoughts, middle, calls].concat())
        });
    (word(), word(), content, stop, usage()).prop_map(|(id, model, blocks, stop, usage)| Answer {
        id,
        model,
        created: Some(1_790_000_000),
        choices: vec![Choice { index: 0, blocks, stop: Some(stop), logprobs: None }],
        usage: Some(usage),
    })
}

/// Turns of one speaker in one: a turn between them of which nothing could be said is gone.
fn joined(mut question: Question) -> Question {
    let mut messages: Vec<Message> = Vec::new();
    for message in question.messages {
        match messages.last_mut().filter(|last| last.role == message.role && last.name == message.name) {
            Some(last) => last.blocks.extend(message.blocks),
            None => messages.push(message),
        }
    }
    question.messages = messages;
    question
}

fn write_stream(dialect: Dialect, events: &[Event]) -> Vec<u8> {
    let mut writer = dialect.stream_writer(true, 1_790_000_000).unwrap();
    let mut bytes: Vec<u8> = events.iter().flat_map(|event| writer.push(event)).collect();
    bytes.extend(writer.finish());
    bytes
}

fn fold(events: Vec<Event>) -> Answer {
    let mut fold = Fold::new();
    for event in events {
        fold.push(event);
    }
    fold.finish().unwrap()
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn what_both_dialects_know_crosses_without_loss_and_comes_back_the_same(question in plain_question()) {
        for dialect in BOTH {
            // One that takes sampling and does not think by itself.
            let model = models(dialect)[0];
            let encoded = dialect.write_question(&question, &options(model)).unwrap();
            prop_assert!(encoded.losses.is_empty(), "{dialect}: {:?}", encoded.losses);
            let mut back = dialect.read_question(&encoded.bytes).unwrap();
            back.model.clone_from(&question.model);
            if let Some(AnswerFormat::JsonSchema { name, .. }) = &mut back.format {
                // OpenAI requires a name for the schema; the neutral form does not.
                *name = None;
            }
            prop_assert_eq!(&back, &question, "{}", dialect);
        }
    }

    #[test]
    fn whatever_is_asked_is_written_so_that_it_reads_and_writes_the_same(question in odd_question()) {
        for dialect in BOTH {
            for model in models(dialect) {
                let options = options(model);
                let first = dialect.write_question(&question, &options).unwrap();
                let read = dialect.read_question(&first.bytes);
                let read = read.map_err(|error| TestCaseError::fail(format!("{dialect}: {error}")))?;
                let second = dialect.write_question(&read, &options).unwrap();
                let again = dialect.read_question(&second.bytes).unwrap();
                prop_assert_eq!(joined(again), joined(read), "{}", dialect);
            }
        }
    }

    #[test]
    fn an_answer_says_the_same_whole_and_as_a_stream(answer in answer()) {
        for dialect in BOTH {
            let whole = dialect.read_answer(&dialect.write_answer(&answer).unwrap().bytes).unwrap();
            let (events, end) = read_stream(dialect, &write_stream(dialect, &answer.clone().into_events()));
            prop_assert_eq!(end, StreamEnd::Clean);
            prop_assert_eq!(&fold(events), &whole, "{}", dialect);
        }
        prop_assert_eq!(&fold(answer.clone().into_events()), &answer);
    }

    #[test]
    fn a_lossless_answer_comes_back_the_same(answer in answer()) {
        let encoded = Dialect::OpenaiChat.write_answer(&answer).unwrap();
        if encoded.losses.is_empty() {
            prop_assert_eq!(Dialect::OpenaiChat.read_answer(&encoded.bytes).unwrap(), answer.clone());
        }
        let encoded = Dialect::AnthropicMessages.write_answer(&answer).unwrap();
        if encoded.losses.is_empty() {
            let mut back = Dialect::AnthropicMessages.read_answer(&encoded.bytes).unwrap();
            back.created = answer.created;
            let calls = answer.choices[0].blocks.iter().any(|block| matches!(block.content, Content::ToolCall(_)));
            if calls && answer.choices[0].stop == Some(StopReason::EndTurn) {
                prop_assert_eq!(back.choices[0].stop.take(), Some(StopReason::ToolUse));
                back.choices[0].stop = Some(StopReason::EndTurn);
            }
            prop_assert_eq!(back, answer);
        }
    }

    #[test]
    fn a_stream_reads_the_same_in_any_pieces(answer in answer(), cuts in vec(1_usize..40, 1..20)) {
        for dialect in BOTH {
            let bytes = write_stream(dialect, &answer.clone().into_events());
            let whole = read_stream(dialect, &bytes);
            let mut reader = dialect.stream_reader().unwrap();
            let (mut events, mut rest, mut cuts) = (Vec::new(), bytes.as_slice(), cuts.iter().cycle());
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
                events.extend(reader.push(piece));
                rest = after;
            }
            events.extend(reader.finish());
            prop_assert_eq!(&(events, reader.end().clone()), &whole);
        }
    }

    #[test]
    fn a_stream_that_is_cut_never_ends_clean(answer in answer(), at in any::<proptest::sample::Index>()) {
        for dialect in BOTH {
            let bytes = write_stream(dialect, &answer.clone().into_events());
            // The last content of the stream is the event that says why the answer ended.
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let reason = if dialect.is_anthropic() { "event: message_stop" } else { "\"finish_reason\":\"" };
            let end = text.find(reason).unwrap();
            let cut = at.index(end);
            let (events, state) = read_stream(dialect, &bytes[..cut]);
            prop_assert!(matches!(state, StreamEnd::Broken(_)), "{state:?}");
            for target in BOTH {
                let written = write_stream(target, &events);
                let written = String::from_utf8_lossy(&written);
                prop_assert!(written.contains("stream_broken") || written.contains("event: error"));
                prop_assert!(!written.contains("[DONE]") && !written.contains("message_stop"));
            }
        }
    }

    #[test]
    fn readers_never_panic_on_bytes(bytes in vec(any::<u8>(), 0..200)) {
        read_everything(&bytes);
    }

    #[test]
    fn readers_never_panic_on_bodies_with_a_fault(file in 0_usize..1_000, at in any::<proptest::sample::Index>(), with in vec(any::<u8>(), 0..4), drop in 0_usize..9) {
        let bodies = bodies();
        let (_, mut body) = bodies[file % bodies.len()].clone();
        let start = at.index(body.len());
        let end = (start + drop).min(body.len());
        body.splice(start..end, with);
        read_everything(&body);
    }

    #[test]
    fn vectors_come_back_in_both_encodings(vectors in vec(vec(-1e3_f32..1e3, 0..9), 0..4), tokens in 0_u64..99) {
        let usage = Some(Usage { input: tokens, ..Usage::default() });
        let answer = EmbeddingsAnswer { model: "m".into(), vectors, usage };
        for encoding in [VectorEncoding::Float, VectorEncoding::Base64] {
            let bytes = openai_embeddings::write_answer(&answer, encoding);
            prop_assert_eq!(&openai_embeddings::read_answer(&bytes).unwrap(), &answer);
        }
    }
}

/// Every body of the golden cases.
fn bodies() -> Vec<(String, Vec<u8>)> {
    let folder = |dialect, kind| golden::files(&golden::data().join(format!("codecs/{dialect}/{kind}")));
    BOTH.iter()
        .flat_map(|dialect| ["question", "answer", "stream"].map(|kind| folder(dialect, kind)))
        .flatten()
        .collect()
}

fn read_everything(bytes: &[u8]) {
    for dialect in Dialect::ALL {
        let _ = dialect.read_question(bytes);
        let _ = dialect.read_answer(bytes);
        if dialect.stream_reader().is_some() {
            read_stream(dialect, bytes);
        }
    }
    let _ = openai_embeddings::read_question(bytes);
    let _ = openai_embeddings::read_answer(bytes);
}

#[test]
fn recorded_streams_read_the_same_cut_at_every_byte() {
    for dialect in BOTH {
        for (name, bytes) in golden::files(&golden::data().join(format!("codecs/{dialect}/stream"))) {
            let whole = read_stream(dialect, &bytes);
            for cut in 0..=bytes.len() {
                let mut reader = dialect.stream_reader().unwrap();
                let mut events = reader.push(&bytes[..cut]);
                events.extend(reader.push(&bytes[cut..]));
                events.extend(reader.finish());
                assert_eq!((events, reader.end().clone()), whole, "{dialect}/{name} cut at {cut}");
            }
        }
    }
}

#[test]
fn embeddings_questions_in_every_form() {
    let read = |input: &str| {
        let body =
            format!(r#"{{"model":"m","input":{input},"dimensions":3,"encoding_format":"base64","new":1.0}}"#);
        let question =
            openai_embeddings::read_question(body.as_bytes()).map_err(|error| error.to_string())?;
        let encoded = openai_embeddings::write_question(&question, None);
        assert!(encoded.losses.is_empty());
        assert_eq!(openai_embeddings::read_question(&encoded.bytes).unwrap(), question);
        Ok::<_, String>(question.input)
    };
    assert_eq!(read("\"a\""), Ok(EmbeddingsInput::Text("a".into())));
    assert_eq!(read(r#"["a","b"]"#), Ok(EmbeddingsInput::Texts(vec!["a".into(), "b".into()])));
    assert_eq!(read("[1,2]"), Ok(EmbeddingsInput::Tokens(vec![1, 2])));
    assert_eq!(read("[[1],[2,3]]"), Ok(EmbeddingsInput::TokenLists(vec![vec![1], vec![2, 3]])));
    assert_eq!(read("[]"), Err("`input`: the list is empty\nhint: send at least one text".into()));
    assert_eq!(read("[\"a\",1]"), Err("`input[1]`: expected a string, found 1".into()));
    assert_eq!(
        read("[-1]").unwrap_err(),
        "`input[0]`: expected a whole number that is not negative, found -1"
    );
}

#[test]
fn nothing_follows_an_error_and_an_answer_starts_once() {
    let start = Event::Start { id: "a".into(), model: "m".into(), created: None };
    let other = Event::Start { id: "b".into(), model: "m".into(), created: None };
    let begin = Event::BlockStart { choice: 0, block: 0, start: BlockStart::Text };
    let piece = Event::Delta { choice: 0, block: 0, delta: Delta::Text("x".into()) };
    let stop = Event::Stop { choice: 0, reason: StopReason::EndTurn };
    let error =
        Event::Error(StreamError { kind: ErrorKind::RateLimit, message: "slow down".into(), code: None });
    for dialect in BOTH {
        let twice = write_stream(
            dialect,
            &[start.clone(), other.clone(), begin.clone(), other.clone(), piece.clone()],
        );
        let twice = String::from_utf8(twice).unwrap();
        assert!(twice.matches("message_start\"").count() <= 1 && !twice.contains("\"id\":\"b\""), "{twice}");
        let events = [start.clone(), begin.clone(), error.clone(), piece.clone(), stop.clone()];
        let text = String::from_utf8(write_stream(dialect, &events)).unwrap();
        assert!(text.trim_end().ends_with('}') && text.contains("rate_limit_error"), "{text}");
        assert!(
            !text.contains("\"x\"") && !text.contains("[DONE]") && !text.contains("message_stop"),
            "{text}"
        );
    }
}
