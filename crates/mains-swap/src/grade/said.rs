//! An answer as the graders see it.

use mains_wire::neutral::{Choice, Content, StopReason};

/// A tool that the answer calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The tool's name.
    pub name: String,
    /// The arguments as the model wrote them.
    pub arguments: String,
}

/// What an answer says, without what grading never looks at (thoughts, citations, identifiers of calls).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// All text, block after block.
    pub text: String,
    /// The tools that are called, in order.
    pub calls: Vec<Call>,
    /// Whether the model or a filter declined.
    pub refused: bool,
    /// Whether there is something that is neither text nor a call: a picture, sound, a foreign block.
    pub other: bool,
}

impl Said {
    /// An answer of text alone.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// One of the answers in the neutral form.
    pub fn of(choice: &Choice) -> Self {
        let mut said =
            Self { refused: matches!(choice.stop, Some(StopReason::Refusal { .. })), ..Self::default() };
        for block in &choice.blocks {
            match &block.content {
                Content::Text { text, .. } => said.text.push_str(text),
                Content::ToolCall(call) => {
                    said.calls.push(Call { name: call.name.clone(), arguments: call.arguments.clone() });
                }
                Content::Refusal { .. } => said.refused = true,
                Content::Reasoning { .. } | Content::RedactedReasoning { .. } => {}
                Content::Image { .. }
                | Content::Audio { .. }
                | Content::File { .. }
                | Content::ToolResult(_)
                | Content::Foreign { .. } => said.other = true,
            }
        }
        said
    }
}
