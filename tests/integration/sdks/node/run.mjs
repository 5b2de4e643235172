// Reads cases as lines of JSON, and writes for each, as one, what the library made of the gateway's
// answer: {made}, or {failed} with the library's own exception. Any other ends the process.
import { createInterface } from "node:readline";

function kindsOf(error) {
  const kinds = [];
  for (let at = Object.getPrototypeOf(error); at; at = Object.getPrototypeOf(at)) {
    kinds.push(at.constructor.name);
  }
  return kinds;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { library, ask, ...asked } = JSON.parse(line);
  const { asking, failure } = await import(`./${library}.mjs`);
  let told;
  try {
    told = { made: (await asking(asked)[ask](asked)) ?? null };
  } catch (error) {
    const failed = failure(error);
    if (failed === null) throw error;
    told = { failed: { kinds: kindsOf(error), ...failed } };
  }
  console.log(JSON.stringify(told));
}
