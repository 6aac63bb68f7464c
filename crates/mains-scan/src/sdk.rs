//! Client libraries: which import or dependency means which provider. Data.

use crate::language::Language;

/// One client library.
pub(crate) struct Sdk {
    /// The root of the module, as imports write it.
    pub(crate) module: &'static str,
    /// The catalogue's host; empty for libraries that reach many.
    pub(crate) host: &'static str,
}

const fn sdk(module: &'static str, host: &'static str) -> Sdk {
    Sdk { module, host }
}

const PYTHON: &[Sdk] = &[
    sdk("openai", "openai"),
    sdk("anthropic", "anthropic"),
    sdk("google.generativeai", "google"),
    sdk("google.genai", "google"),
    sdk("google.cloud.aiplatform", "google-vertex"),
    sdk("vertexai", "google-vertex"),
    sdk("mistralai", "mistral"),
    sdk("cohere", "cohere"),
    sdk("groq", "groq"),
    sdk("together", "together"),
    sdk("fireworks", "fireworks"),
    sdk("replicate", "replicate"),
    sdk("cerebras", "cerebras"),
    sdk("xai_sdk", "xai"),
    sdk("ollama", "ollama"),
    sdk("azure.ai.openai", "azure"),
    sdk("azure.ai.inference", "azure"),
    sdk("azure.ai.projects", "azure"),
    sdk("litellm", ""),
    sdk("langchain", ""),
    sdk("langchain_openai", "openai"),
    sdk("langchain_anthropic", "anthropic"),
    sdk("langchain_google_genai", "google"),
    sdk("langchain_google_vertexai", "google-vertex"),
    sdk("langchain_aws", "aws-bedrock"),
    sdk("langchain_mistralai", "mistral"),
    sdk("langchain_groq", "groq"),
    sdk("langchain_cohere", "cohere"),
    sdk("langchain_community", ""),
    sdk("langchain_core", ""),
    sdk("langgraph", ""),
    sdk("llama_index", ""),
    sdk("semantic_kernel", ""),
    sdk("pydantic_ai", ""),
    sdk("crewai", ""),
    sdk("autogen", ""),
    sdk("dspy", ""),
    sdk("instructor", ""),
    sdk("haystack", ""),
    sdk("smolagents", ""),
];

const JAVASCRIPT: &[Sdk] = &[
    sdk("openai", "openai"),
    sdk("@anthropic-ai", "anthropic"),
    sdk("@google/genai", "google"),
    sdk("@google/generative-ai", "google"),
    sdk("@google-cloud/vertexai", "google-vertex"),
    sdk("@ai-sdk/openai", "openai"),
    sdk("@ai-sdk/anthropic", "anthropic"),
    sdk("@ai-sdk/google", "google"),
    sdk("@ai-sdk/google-vertex", "google-vertex"),
    sdk("@ai-sdk/azure", "azure"),
    sdk("@ai-sdk/amazon-bedrock", "aws-bedrock"),
    sdk("@ai-sdk/groq", "groq"),
    sdk("@ai-sdk/mistral", "mistral"),
    sdk("@ai-sdk/xai", "xai"),
    sdk("@ai-sdk", ""),
    sdk("ai", ""),
    sdk("@langchain/openai", "openai"),
    sdk("@langchain/anthropic", "anthropic"),
    sdk("@langchain", ""),
    sdk("langchain", ""),
    sdk("llamaindex", ""),
    sdk("cohere-ai", "cohere"),
    sdk("@mistralai", "mistral"),
    sdk("groq-sdk", "groq"),
    sdk("@aws-sdk/client-bedrock", "aws-bedrock"),
    sdk("@aws-sdk/client-bedrock-runtime", "aws-bedrock"),
    sdk("@azure/openai", "azure"),
    sdk("replicate", "replicate"),
    sdk("ollama", "ollama"),
    sdk("@fal-ai", "fal"),
    sdk("together-ai", "together"),
];

const GO: &[Sdk] = &[
    sdk("github.com/openai/openai-go", "openai"),
    sdk("github.com/sashabaranov/go-openai", "openai"),
    sdk("github.com/anthropics/anthropic-sdk-go", "anthropic"),
    sdk("google.golang.org/genai", "google"),
    sdk("github.com/google/generative-ai-go", "google"),
    sdk("cloud.google.com/go/vertexai", "google-vertex"),
    sdk("github.com/cohere-ai/cohere-go", "cohere"),
    sdk("github.com/tmc/langchaingo", ""),
    sdk("github.com/aws/aws-sdk-go-v2/service/bedrockruntime", "aws-bedrock"),
    sdk("github.com/ollama/ollama/api", "ollama"),
];

const JAVA: &[Sdk] = &[
    sdk("com.openai", "openai"),
    sdk("com.theokanning.openai", "openai"),
    sdk("com.aallam.openai", "openai"),
    sdk("com.anthropic", "anthropic"),
    sdk("org.springframework.ai", ""),
    sdk("dev.langchain4j", ""),
    sdk("com.azure.ai.openai", "azure"),
    sdk("com.google.genai", "google"),
    sdk("com.google.cloud.vertexai", "google-vertex"),
    sdk("software.amazon.awssdk.services.bedrockruntime", "aws-bedrock"),
];

const RUST: &[Sdk] = &[
    sdk("async_openai", "openai"),
    sdk("async-openai", "openai"),
    sdk("aws_sdk_bedrockruntime", "aws-bedrock"),
    sdk("aws-sdk-bedrockruntime", "aws-bedrock"),
    sdk("ollama_rs", "ollama"),
    sdk("ollama-rs", "ollama"),
    sdk("genai", ""),
    sdk("rig", ""),
    sdk("rig-core", ""),
];

const CSHARP: &[Sdk] = &[
    sdk("OpenAI", "openai"),
    sdk("Azure.AI.OpenAI", "azure"),
    sdk("Azure.AI.Inference", "azure"),
    sdk("Microsoft.SemanticKernel", ""),
    sdk("Microsoft.Extensions.AI", ""),
    sdk("Anthropic", "anthropic"),
    sdk("Anthropic.SDK", "anthropic"),
    sdk("Mscc.GenerativeAI", "google"),
    sdk("AWSSDK.BedrockRuntime", "aws-bedrock"),
    sdk("Amazon.BedrockRuntime", "aws-bedrock"),
];

const RUBY: &[Sdk] = &[
    sdk("openai", "openai"),
    sdk("ruby-openai", "openai"),
    sdk("anthropic", "anthropic"),
    sdk("ruby_llm", ""),
    sdk("langchainrb", ""),
    sdk("langchain", ""),
];

const PHP: &[Sdk] = &[
    sdk("OpenAI", "openai"),
    sdk("openai-php/client", "openai"),
    sdk("openai-php/laravel", "openai"),
    sdk("Anthropic", "anthropic"),
    sdk("Prism\\Prism", ""),
    sdk("prism-php/prism", ""),
    sdk("LLPhant", ""),
    sdk("theodo-group/llphant", ""),
];

/// The libraries of a language.
pub(crate) fn of(language: Language) -> &'static [Sdk] {
    match language {
        Language::Python | Language::Notebook => PYTHON,
        Language::JavaScript => JAVASCRIPT,
        Language::Go => GO,
        Language::Java => JAVA,
        Language::Rust => RUST,
        Language::CSharp => CSHARP,
        Language::Ruby => RUBY,
        Language::Php => PHP,
        _ => &[],
    }
}

/// The libraries whose packages the dependency file `name` may list, and whether `_` reads as `-` there.
pub(crate) fn of_manifest(name: &str) -> Option<&'static [Sdk]> {
    let lower = name.to_ascii_lowercase();
    let ending = |end: &str| lower.ends_with(end);
    Some(match lower.as_str() {
        "pyproject.toml" | "setup.py" | "setup.cfg" | "pipfile" | "environment.yml" | "environment.yaml" => {
            PYTHON
        }
        "package.json" => JAVASCRIPT,
        "go.mod" => GO,
        "cargo.toml" => RUST,
        "pom.xml" | "build.gradle" | "build.gradle.kts" => JAVA,
        "gemfile" => RUBY,
        "composer.json" => PHP,
        _ if lower.starts_with("requirements") && ending(".txt") => PYTHON,
        _ if ending(".csproj") || ending(".fsproj") => CSHARP,
        _ if ending(".gemspec") => RUBY,
        _ => return None,
    })
}

/// Every module name, to find files worth reading.
pub(crate) fn modules() -> impl Iterator<Item = &'static str> {
    [PYTHON, JAVASCRIPT, GO, JAVA, RUST, CSHARP, RUBY, PHP].into_iter().flatten().map(|sdk| sdk.module)
}

/// Whether a module's name is also a word of every second text.
pub(crate) fn is_common_word(module: &str) -> bool {
    module.len() <= 5
        || matches!(
            module,
            "together" | "cohere" | "replicate" | "fireworks" | "instructor" | "haystack" | "autogen"
        )
}

/// The library that `module` belongs to: its root or a path below it, the longest that fits.
pub(crate) fn find(table: &'static [Sdk], module: &str) -> Option<&'static Sdk> {
    let below = |sdk: &&Sdk| {
        module.strip_prefix(sdk.module).is_some_and(|rest| {
            rest.is_empty()
                || rest.starts_with(['.', '/', ':', '\\', '@'])
                || (sdk.module.starts_with("Azure") && rest.is_empty())
        })
    };
    table.iter().filter(below).max_by_key(|sdk| sdk.module.len())
}

/// What a callee says of the provider: `AzureOpenAI(…)`, `openai("…")` of the Vercel toolkit.
pub(crate) fn host_of_call(callee: &str) -> Option<&'static str> {
    let last = callee.rsplit(['.', ':', '>']).next().unwrap_or(callee);
    Some(match last {
        "AzureOpenAI"
        | "AsyncAzureOpenAI"
        | "AzureChatOpenAI"
        | "AzureOpenAIEmbeddings"
        | "azure"
        | "AzureOpenAIClient" => "azure",
        "ChatOpenAI" | "OpenAIEmbeddings" | "OpenAIChat" | "openai" | "createOpenAI" | "OpenAIModel" => {
            "openai"
        }
        "ChatAnthropic" | "anthropic" | "AnthropicModel" | "createAnthropic" => "anthropic",
        "ChatBedrock"
        | "BedrockChat"
        | "ChatBedrockConverse"
        | "BedrockEmbeddings"
        | "bedrock"
        | "InvokeModelCommand"
        | "ConverseCommand"
        | "invoke_model"
        | "converse"
        | "converse_stream"
        | "invoke_model_with_response_stream" => "aws-bedrock",
        "ChatVertexAI" | "VertexAI" | "vertex" => "google-vertex",
        "ChatGoogleGenerativeAI" | "GoogleGenerativeAIEmbeddings" | "google" | "createGoogleGenerativeAI" => {
            "google"
        }
        "ChatMistralAI" | "mistral" => "mistral",
        "ChatGroq" | "groq" => "groq",
        "ChatCohere" | "cohere" => "cohere",
        "ChatOllama" | "ollama" => "ollama",
        "xai" => "xai",
        _ => return None,
    })
}

/// Names of cloud services for models, with their host.
pub(crate) const SERVICES: &[(&str, &str)] = &[
    ("bedrock-runtime", "aws-bedrock"),
    ("bedrock:InvokeModel", "aws-bedrock"),
    ("aws_bedrock", "aws-bedrock"),
    ("aiplatform.googleapis.com", "google-vertex"),
    ("google_vertex_ai_", "google-vertex"),
    ("Microsoft.CognitiveServices/accounts", "azure"),
    ("azurerm_cognitive_deployment", "azure"),
    ("azurerm_cognitive_account", "azure"),
];
