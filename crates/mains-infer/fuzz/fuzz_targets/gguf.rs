//! Any bytes as a model file: header, tokenizer, template and a pass must refuse or work, never panic.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use mains_infer::gguf::Gguf;
use mains_infer::model::{Llama, Options};
use mains_infer::tokenizer::{ChatTemplate, Message, Prompt, Role, Tokenizer};

fuzz_target!(|file: &[u8]| {
    let mut source = Cursor::new(file);
    let Ok(gguf) = Gguf::read(&mut source) else { return };
    if let Ok(tokenizer) = Tokenizer::from_gguf(&gguf) {
        let _ = tokenizer.encode_prompt(&Prompt::raw("hello <|im_end|> world 12"));
        if let Some(template) = gguf.metadata().text("tokenizer.chat_template") {
            let messages = [Message { role: Role::User, content: "hello".to_owned() }];
            let _ = ChatTemplate::new(template).and_then(|template| template.render(&messages, &tokenizer));
        }
    }
    let options = Options { threads: 1, context: 16, instruction_set: None };
    if let Ok(mut model) = Llama::load(&gguf, &mut source, options) {
        if model.feed(&[0, 1]).is_ok() {
            model.logits();
        }
    }
});
