import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

const hello = { role: "user", content: "Hello there" };
const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const described = { name: "weather", description: "The weather in a city.", parameters };
const weather = { type: "function", function: described };
const city = z.object({ name: z.string(), country: z.string() });
const called = ({ name, arguments: given }, text) => ({ name, arguments: JSON.parse(given), text });

function chats(client, model) {
  const create = (more) => client.chat.completions.create({ model, messages: [hello], ...more });
  return {
    async chat() {
      const { choices, usage } = await create();
      return { pieces: [choices[0].message.content], tokens: usage.completion_tokens };
    },

    async stream({ usage }) {
      const pieces = [];
      let tokens = null;
      const more = usage ? { stream_options: { include_usage: true } } : {};
      for await (const chunk of await create({ stream: true, ...more })) {
        pieces.push(chunk.choices[0]?.delta.content ?? "");
        tokens = chunk.usage?.completion_tokens ?? tokens;
      }
      return { pieces, tokens };
    },

    async tool({ streams }) {
      const asks = { model, messages: [hello], tools: [weather] };
      const answer = streams
        ? await client.chat.completions.stream(asks).finalChatCompletion()
        : await create({ tools: [weather] });
      const message = answer.choices[0].message;
      const [call] = message.tool_calls;
      const result = { role: "tool", tool_call_id: call.id, content: "Sunny in Paris" };
      const last = await create({ tools: [weather], messages: [hello, message, result] });
      return called(call.function, last.choices[0].message.content);
    },

    async read_object() {
      const response_format = zodResponseFormat(city, "city");
      const asks = { model, messages: [hello], response_format };
      return (await client.chat.completions.parse(asks)).choices[0].message.parsed;
    },

    async embed() {
      const answer = await client.embeddings.create({ model, input: ["one", "two"] });
      return answer.data.map((item) => item.embedding);
    },

    async models() {
      const names = [];
      for await (const listed of client.models.list()) names.push(listed.id);
      const one = await client.models.retrieve(model);
      return names.includes(one.id) ? names : [];
    },

    async leave() {
      for await (const chunk of await create({ stream: true })) return chunk.id;
    },
  };
}

function responses(client, model) {
  const create = (more) => client.responses.create({ model, input: [hello], ...more });
  const tools = [{ type: "function", ...described, strict: true }];
  return {
    async chat() {
      const answer = await create();
      return { pieces: [answer.output_text], tokens: answer.usage.output_tokens };
    },

    async stream() {
      const pieces = [];
      let tokens = null;
      for await (const event of await create({ stream: true })) {
        if (event.type === "response.output_text.delta") pieces.push(event.delta);
        if (event.type === "response.completed") tokens = event.response.usage.output_tokens;
      }
      return { pieces, tokens };
    },

    async tool({ streams }) {
      const answer = streams
        ? await client.responses.stream({ model, input: [hello], tools }).finalResponse()
        : await create({ tools });
      const call = answer.output.find((item) => item.type === "function_call");
      const result = {
        type: "function_call_output",
        call_id: call.call_id,
        output: "Sunny in Paris",
      };
      const last = await create({ tools, input: [hello, ...answer.output, result] });
      return called(call, last.output_text);
    },

    async read_object() {
      const text = { format: zodTextFormat(city, "city") };
      return (await client.responses.parse({ model, input: [hello], text })).output_parsed;
    },

    async leave() {
      for await (const event of await create({ stream: true })) {
        if (event.type === "response.output_text.delta") return event.delta;
      }
    },
  };
}

export function asking({ url, key, model, way }) {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
  return { chats, responses }[way](client, model);
}

export function failure(error) {
  if (!(error instanceof OpenAI.APIError)) return null;
  return { status: error.status ?? null, wait: error.headers?.get("retry-after") ?? null };
}
