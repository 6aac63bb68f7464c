// The official OpenAI SDK for Node, unmodified, against a running outlet.
import assert from "node:assert/strict";
import { outlet, requireFrom, run } from "./outlet.mjs";

const { default: OpenAI } = requireFrom("openai");
const messages = [{ role: "user", content: "Say hello to the electrician." }];
const weather = {
  type: "function",
  function: {
    name: "weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false },
  },
};

const tests = [
  ["chat", async ({ client }) => {
    const answer = await client.chat.completions.create({ model: "gpt-4o-mini", messages, max_tokens: 24 });
    assert.ok(answer.choices[0].message.content);
    assert.ok(answer.usage.completion_tokens > 0);
  }],
  ["stream", async ({ client }) => {
    let text = "";
    let finish = null;
    const stream = await client.chat.completions.create({ model: "gpt-4o-mini", messages, max_tokens: 24, stream: true });
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? "";
      finish = chunk.choices[0]?.finish_reason ?? finish;
    }
    assert.ok(text && finish);
  }],
  ["tools", async ({ client }) => {
    const answer = await client.chat.completions.create({ model: "gpt-4o-mini", messages, tools: [weather], tool_choice: "required" });
    const call = answer.choices[0].message.tool_calls[0];
    assert.equal(call.function.name, "weather");
    assert.ok("city" in JSON.parse(call.function.arguments));
  }],
  ["schema", async ({ client }) => {
    const schema = { type: "object", properties: { label: { type: "string" } }, required: ["label"], additionalProperties: false };
    const answer = await client.chat.completions.create({
      model: "gpt-4o-mini", messages, response_format: { type: "json_schema", json_schema: { name: "verdict", strict: true, schema } },
    });
    assert.ok("label" in JSON.parse(answer.choices[0].message.content));
  }],
  ["a dead model is survived", async ({ client }) => {
    const { response } = await client.chat.completions.create({ model: "gpt-3.5-turbo", messages }).withResponse();
    assert.equal(response.headers.get("x-mains-target"), "openai/gpt-4o-mini");
  }],
  ["an unknown model is a clear error", async ({ client }) => {
    await assert.rejects(client.chat.completions.create({ model: "gpt-4o-mni", messages }), (error) => error.status === 404 && error.code === "model_not_found");
  }],
  ["models", async ({ client }) => {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    assert.ok(ids.includes("gpt-4o-mini"));
  }],
];

const running = await outlet();
let ok = false;
try {
  const client = new OpenAI({ baseURL: running.url + "/v1", apiKey: "ignored", maxRetries: 0 });
  ok = await run(tests, { client });
} finally {
  await running.close();
}
process.exit(ok ? 0 : 1);
