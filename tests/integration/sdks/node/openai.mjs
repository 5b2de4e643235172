import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";

const { GATEWAY_URL, GATEWAY_KEY } = process.env;
const client = new OpenAI({ baseURL: `${GATEWAY_URL}/v1`, apiKey: GATEWAY_KEY, maxRetries: 0 });
const asked = { role: "user", content: "Hello there" };
const weather = {
  type: "function",
  function: {
    name: "weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

async function toolTurns(model, called) {
  const message = called.choices[0].message;
  const [call] = message.tool_calls;
  const result = { role: "tool", tool_call_id: call.id, content: "Sunny in Paris" };
  const messages = [asked, message, result];
  const answer = await client.chat.completions.create({ model, tools: [weather], messages });
  return {
    name: call.function.name,
    arguments: JSON.parse(call.function.arguments),
    text: answer.choices[0].message.content,
  };
}

export const cases = {
  async chat(model) {
    const answer = await client.chat.completions.create({ model, messages: [asked] });
    const [choice] = answer.choices;
    return { text: choice.message.content, finish: choice.finish_reason, usage: answer.usage };
  },

  async stream(model) {
    const stream = await client.chat.completions.create({
      model,
      messages: [asked],
      stream: true,
      stream_options: { include_usage: true },
    });
    const pieces = [];
    let usage = null;
    for await (const chunk of stream) {
      pieces.push(chunk.choices[0]?.delta.content ?? "");
      usage = chunk.usage ?? usage;
    }
    return { text: pieces.join(""), usage };
  },

  async tool(model) {
    const called = await client.chat.completions.create({
      model,
      messages: [asked],
      tools: [weather],
    });
    return toolTurns(model, called);
  },

  async streamed_tool(model) {
    const runner = client.chat.completions.stream({ model, messages: [asked], tools: [weather] });
    return toolTurns(model, await runner.finalChatCompletion());
  },

  async object(model) {
    const answer = await client.chat.completions.parse({
      model,
      messages: [asked],
      response_format: zodResponseFormat(z.object({ name: z.string() }), "city"),
    });
    return answer.choices[0].message.parsed;
  },

  async embed(model) {
    const answer = await client.embeddings.create({ model, input: ["one", "two"] });
    return answer.data.map((item) => item.embedding);
  },

  async models() {
    const names = [];
    for await (const model of client.models.list()) names.push(model.id);
    return names;
  },

  async failure(model) {
    try {
      await client.chat.completions.create({ model, messages: [asked] });
    } catch (error) {
      const kind = error.constructor.name;
      return { kind, status: error.status, wait: error.headers?.get("retry-after") };
    }
    return null;
  },

  async leave(model) {
    const stream = await client.chat.completions.create({ model, messages: [asked], stream: true });
    for await (const chunk of stream) return { id: chunk.id };
    return null;
  },
};
