import { type Adding, addPlainOptions, listed } from './api-options.ts'
import { groups, withExamples } from './command-help.ts'
import type { CommandIo } from './command-io.ts'
import type { InitOptions } from './init/options.ts'

/** `baton init` */
export const addInit = ({ program, exit }: Adding, terminal: CommandIo): void => {
  const command = addPlainOptions(program.command('init'))
    .helpGroup(groups.config)
    .description('Set up baton.yaml and .env: vendors, their keys and models, and a first key')
    .option('--provider <type>', 'a vendor, the first choice first; several times for several', listed, [])
    .option('--key-env <name>', 'the variable that has its key; of several: openai=NAME', listed, [])
    .option('--base-url <url>', 'another address than its own; of several: openai=URL', listed, [])
    .option('--model <name>', 'the model to ask for; of several: openai=NAME', listed, [])
    .option('--resource <name>', 'where azure is: NAME in https://NAME.openai.azure.com')
    .option('--region <name>', 'where bedrock is asked')
    .option('--location <name>', 'where vertex is asked: global where nothing is said')
    .option('--project <id>', "whose vertex is asked; that of Google's credentials where nothing is said")
    .option('--output <folder>', 'where the files are written', '.')
    .option('--port <number>', 'where Baton is to listen', '8000')
    .option('--yes', 'ask nothing: take what is found and usual', false)
    .option('--force', 'replace a baton.yaml that is there', false)
    .option('--check', 'ask each model for one word, which costs less than a cent')
    .option('--no-check', 'do not')
    .action(async (options: InitOptions) => {
      const { init } = await import('./commands/init.ts')
      exit(await init(options, terminal))
    })
  withExamples(
    command,
    ['baton init', 'asks for what it does not find in the environment'],
    ['baton init --provider groq --provider openai --yes', 'asks nothing'],
    [
      'baton init --provider azure --resource my-resource --model my-deployment',
      "shows AZURE_OPENAI_API_KEY, or this machine's identity",
    ],
  )
}
