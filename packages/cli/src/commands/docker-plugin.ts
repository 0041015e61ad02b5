import type { Environment } from '../config/environment.ts';
import { pluginMetadata, pluginVersion } from '../docker-plugin/answers.ts';
import { translateCall } from '../docker-plugin/translate.ts';
import type { Command } from './command.ts';

/** Makes the command that the plug-ins of `tbuild install` call: the name of the plug-in, then Docker's words. */
export function dockerPluginCommand(main: (argv: readonly string[], env: Environment) => Promise<number>): Command {
  return {
    summary: "Answer Docker's CLI as one of its plug-ins",
    usage: '__docker PLUGIN WORD...',
    async run([plugin = '', ...words], env) {
      const call = translateCall(words, plugin);
      if (call.kind === 'run') return main(call.argv, withVariables(env, call.variables));
      env.stdout.write(call.kind === 'metadata' ? pluginMetadata(plugin) : pluginVersion());
      return 0;
    },
  };
}

function withVariables(env: Environment, added: Readonly<Record<string, string>>): Environment {
  if (Object.keys(added).length === 0) return env;
  // The streams are opened when they are asked for.
  return Object.create(env, { variables: { value: { ...env.variables, ...added } } });
}
