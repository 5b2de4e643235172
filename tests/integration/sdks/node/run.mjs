// node run.mjs LIBRARY CASE MODEL: prints as JSON what the library made of the gateway's answer.
const [library, name, model] = process.argv.slice(2);
const { cases } = await import(`./${library}.mjs`);
console.log(JSON.stringify(await cases[name](model)));
