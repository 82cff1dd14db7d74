/** Control files made ready to judge with: the very values and functions that doors, queue and bounces obey. */
import type { BounceSettings } from '../bounce/report.ts';
import { parseControls, type ControlTexts } from '../control/controls.ts';
import type { Hosts } from '../control/more-hosts.ts';
import { acceptsRecipient } from '../control/rcpthosts.ts';
import type { Controls } from '../control/settings.ts';
import type { TcpRules } from '../control/tcp-rules.ts';
import type { DoorRules } from '../ingress/accept.ts';
import type { Address } from '../mail/envelope.ts';
import { toRoutingRules, type RoutingRules } from '../queue/routing.ts';

export type RuleSet = {
  readonly digest: string;
  readonly files: ControlTexts;
  readonly controls: Controls;
  readonly tcpRules: TcpRules;
  readonly routing: RoutingRules;
  readonly door: DoorRules;
  readonly bounce: BounceSettings;
  /** The rule that lets a stranger's recipient in. */
  readonly admits: (recipient: Address) => string | undefined;
  /** Texts that decide one thing: where those of two sets are equal, so is all that they decide. */
  readonly aspects: { readonly [A in Aspect]: string };
};

export type Aspect = 'door' | 'routing' | 'schedule' | 'bounce';

const files: { readonly [A in Aspect]: readonly string[] } = {
  door: [
    ...['me', 'badmailfrom', 'databytes', 'localiphost', 'rcpthosts', 'morercpthosts', 'tcp.smtp'],
    ...['locals', 'virtualdomains', 'percenthack', 'envnoathost'],
  ],
  routing: ['me', 'envnoathost', 'percenthack', 'locals', 'virtualdomains', 'smtproutes'],
  schedule: ['queuelifetime'],
  bounce: ['me', 'bouncefrom', 'bouncehost', 'doublebounceto', 'doublebouncehost'],
};

/** Throws `ControlMistake` when the texts cannot be obeyed. `moreHosts`: `morercpthosts`, where it is a database. */
export function toRuleSet(
  texts: ControlTexts,
  { digest, where, moreHosts }: { digest: string; where?: string; moreHosts?: Hosts },
): RuleSet {
  const { controls, tcpRules } = parseControls(texts, where);
  const rcptRules = { ...controls, morercpthosts: moreHosts ?? controls.morercpthosts };
  const admits = (recipient: Address) => acceptsRecipient(recipient, rcptRules);
  const aspectOf = (aspect: Aspect): string =>
    JSON.stringify(files[aspect].map((name) => texts[name] ?? null)) +
    (aspect === 'door' && moreHosts !== undefined ? digest : '');
  return {
    ...{ digest, files: texts, controls, tcpRules, admits },
    routing: toRoutingRules(controls),
    door: {
      me: controls.me ?? controls.smtpgreeting,
      greeting: controls.smtpgreeting,
      badmailfrom: controls.badmailfrom,
      rcpthosts: (recipient) => admits(recipient) !== undefined,
      databytes: controls.databytes,
      localiphost: controls.localiphost,
      // Recorded addresses had our own IP replaced already.
      isOwnIp: () => false,
    },
    bounce: {
      bouncefrom: controls.bouncefrom,
      bouncehost: controls.bouncehost,
      doublebounceto: controls.doublebounceto,
      doublebouncehost: controls.doublebouncehost,
      virtualdomains: controls.virtualdomains,
    },
    aspects: {
      door: aspectOf('door'),
      routing: aspectOf('routing'),
      schedule: aspectOf('schedule'),
      bounce: aspectOf('bounce'),
    },
  };
}
