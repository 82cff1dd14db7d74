/** The desk as a person sees it, in a real Chromium; skipped, and said so, where there is none. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { hour, hostile, openDesk, password, type TestDesk } from './open-desk.ts';

const executable = findChromium();
if (executable === undefined) {
  console.warn('test/desk/browser: skipped, there is no chromium in PATH');
}

const inBrowser = executable === undefined ? describe.skip : describe;

let browser: Browser | undefined;

beforeAll(async () => {
  if (executable === undefined) return;
  // In a container the memory that processes share is often small.
  const args = ['--no-sandbox', '--disable-dev-shm-usage'];
  // The path of its socket may have 107 bytes.
  const env = { ...process.env, TMPDIR: '/tmp' };
  browser = await chromium.launch({ executablePath: executable, args, env });
});

afterAll(async () => {
  if (executable !== undefined) await browser?.close();
});

inBrowser('the desk in a browser', () => {
  let desk: TestDesk;
  let context: BrowserContext;
  let page: Page;
  /** What the browser complained about: a script that failed, something the policy kept out. */
  const complaints: string[] = [];

  beforeAll(async () => {
    desk = await openDesk({ ownUid: process.getuid!() });
    context = await browser!.newContext({ viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    page.setDefaultTimeout(60_000);
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error')
        complaints.push(`${message.text()} ${message.location().url}`);
    });
  });

  afterAll(async () => {
    await context.close();
    await desk.close();
  });

  const open = (path: string) => page.goto(desk.url + path);
  const told = () => page.locator('#queue-told').innerText();

  it('shows what waits, what came and went, and who is at work', async () => {
    await open('/?span=day');
    expect(await page.locator('.number').first().innerText()).toContain('5');
    expect(await page.locator('figure svg rect.fill-good').count()).toBeGreaterThan(0);
    expect(await page.getByRole('img', { name: /Verdicts.*1 failed/ }).count()).toBe(1);
    expect(await page.locator('.bars', { hasText: 'by destination' }).innerText()).toContain(
      'nowhere.test',
    );
    expect(await page.locator('.bars', { hasText: 'deferrals' }).innerText()).toContain(
      'mailbox full',
    );
  });

  it('shows the queue as it was when the slider is dragged, and as it is at its end', async () => {
    await open('/queue');
    expect(await told()).toContain('5 recipients');
    const slider = page.locator('#slider');
    const box = (await slider.boundingBox())!;
    await page.mouse.move(box.x + box.width - 9, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + box.height / 2, { steps: 5 });
    await page.mouse.up();
    await page.waitForURL(/at=/);
    await page.locator('#queue-told', { hasText: '2 letters, 4 recipients' }).waitFor();
    const middle = desk.office.clock.now() - 1.5 * hour;
    await page.waitForURL(
      ({ searchParams }) => Math.abs(Date.parse(searchParams.get('at') ?? '') - middle) < hour / 10,
    );
    expect(await page.locator('#queue tbody').innerText()).not.toContain('late@nowhere.test');
    await slider.focus();
    await page.keyboard.press('Home');
    await page.locator('#queue-told', { hasText: '1 being attempted' }).waitFor();
    await page.keyboard.press('End');
    await page.locator('#queue-told', { hasText: 'letters, 5 recipients' }).waitFor();
  });

  it('keeps the instant in the address, and goes to one that is typed', async () => {
    await open('/queue');
    await page.locator('#at').fill('-100min');
    await page.keyboard.press('Enter');
    await page.locator('#queue-told', { hasText: 'At 20' }).waitFor();
    const there = await told();
    await page.reload();
    expect(await told()).toBe(there);
    await page.locator('#at').fill('the day before');
    await page.keyboard.press('Enter');
    await page.getByText('That is no time').waitFor();
    await page.locator('[data-step=now]').click();
    await page.locator('#queue-told', { hasText: /^Now/ }).waitFor();
  });

  it('steps through time by key', async () => {
    await open('/queue');
    await page.keyboard.press('[');
    await page.locator('#queue-told', { hasText: 'At 20' }).waitFor();
    await page.keyboard.press('n');
    await page.locator('#queue-told', { hasText: 'Now, after' }).waitFor();
  });

  it('finds letters as one types, and the address is the question', async () => {
    await open('/search');
    const to = page.getByLabel('To', { exact: true });
    await to.pressSequentially('*nowhere*');
    await page.locator('#results-told', { hasText: '1 letter,' }).waitFor();
    await page.waitForURL(({ searchParams }) => searchParams.get('recipient') === '*nowhere*');
    expect(await to.inputValue()).toBe('*nowhere*');
    await page.reload();
    expect(await page.locator('#results tbody tr').count()).toBe(1);
    await page.getByLabel('To', { exact: true }).fill('');
    await page.getByLabel('State').selectOption('bounced');
    await page.locator('#results tr:only-child', { hasText: 'no such user here' }).waitFor();
    await page.locator('#results .id').click();
    await page.waitForURL(/\/letters\//);
  });

  it('draws a letter’s waybill, and tells the same in words', async () => {
    await open(`/letters/${desk.ids.many}`);
    expect(await page.locator('.seal-delivered').count()).toBe(2);
    expect(await page.locator('.seal-deferred').count()).toBe(1);
    expect(await page.locator('.waybill .whom span').allInnerTexts()).toHaveLength(4);
    const story = await page.locator('.story').innerText();
    expect(story).toContain('accepted from <joe@here.test> for 4 recipients');
    expect(story).toContain('452 4.2.2 mailbox full');
    expect(await page.locator('#rcpt-1 .why').innerText()).toContain('square root');
  });

  it('leads from a letter to its bounce and back', async () => {
    await open(`/letters/${desk.ids.bounced}`);
    await page.locator('.facts a.id').first().click();
    await page.waitForURL(new RegExp(desk.ids.bounce));
    expect(await page.locator('.facts').innerText()).toContain('Comes from');
    await page.locator('.facts a.id').first().click();
    await page.waitForURL(new RegExp(desk.ids.bounced));
  });

  it('shows a subject, an address and a reply full of HTML as text', async () => {
    for (const path of [
      `/letters/${desk.ids.hostile}`,
      '/queue',
      '/search',
      '/hosts',
      '/?span=day',
      '/tail',
    ]) {
      await open(path);
      expect(await page.locator('main').innerText()).toContain('<script>');
      expect(await page.locator('main script, main img').count()).toBe(0);
    }
    await open(`/letters/${desk.ids.hostile}`);
    expect(await page.locator('h1').innerText()).toContain(hostile);
    expect(await page.evaluate(`'stolen' in window`)).toBe(false);
  });

  it('shows events as they come, also hostile ones, and waits when it is paused', async () => {
    await open('/tail');
    await page.locator('#tail-state', { hasText: 'live' }).waitFor();
    await page.locator('#pause').click();
    const id = await desk.office.accept(['fresh@f.test'], { returnPath: `${hostile}@g.test` });
    await page.locator('#tail-state', { hasText: '2 waiting' }).waitFor();
    expect(await page.locator('#tail', { hasText: 'fresh@f.test' }).count()).toBe(0);
    await page.keyboard.press('p');
    await page.locator('#tail .new', { hasText: 'fresh@f.test' }).waitFor();
    expect(await page.locator('#tail img, #tail script').count()).toBe(0);
    await page.getByLabel('Type').selectOption('MessageQueued');
    expect(await page.locator('#tail li:visible').count()).toBeGreaterThan(0);
    expect(await page.locator('#tail li:visible', { hasText: 'MessageAccepted' }).count()).toBe(0);
    await desk.office.do(id, {
      type: 'Cancel',
      by: 'a test',
      why: 'done with',
      at: desk.office.clock.now(),
    });
  });

  it('keeps a page true while the log grows, once it shows the present', async () => {
    await open('/queue?at=-100min');
    await page.locator('#slider').focus();
    await page.keyboard.press('End');
    await page.locator('#queue-told', { hasText: '5 recipients' }).waitFor();
    const id = await desk.office.accept(['new@h.test']);
    await page.locator('#queue tbody', { hasText: 'new@h.test' }).waitFor();
    await desk.office.do(id, {
      type: 'Cancel',
      by: 'a test',
      why: 'done with',
      at: desk.office.clock.now(),
    });
    await page.locator('#queue-told', { hasText: '5 recipients' }).waitFor();
  });

  it('holds a letter after a reason was given, and says who did it', async () => {
    await open(`/letters/${desk.ids.waiting}`);
    await page.getByRole('button', { name: 'Hold…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Hold' });
    await dialog.getByRole('button', { name: 'Hold', exact: true }).click();
    expect(desk.orders).toHaveLength(0);
    await dialog.getByLabel('Reason, for the record').fill('the far side asked <b>us</b>');
    await dialog.getByRole('button', { name: 'Hold', exact: true }).click();
    await page.locator('.done', { hasText: 'held: no attempt' }).waitFor();
    expect(desk.orders).toMatchObject([{ act: 'hold', why: 'the far side asked <b>us</b>' }]);
    expect(await page.locator('.story').innerText()).toContain(
      '(desk) (the far side asked <b>us</b>)',
    );
    await page.reload();
    expect(await page.locator('.done').count()).toBe(0);
    await page.getByRole('button', { name: 'Release…' }).click();
    await page.getByRole('dialog').getByLabel('Reason, for the record').fill('enough');
    await page.keyboard.press('Enter');
    await page.locator('.done', { hasText: 'released' }).waitFor();
  });

  it('sends one recipient elsewhere, and says why not when the address is none', async () => {
    await open(`/letters/${desk.ids.many}`);
    const redirect = async (to: string) => {
      await page.getByRole('button', { name: 'Redirect…' }).click();
      const dialog = page.getByRole('dialog', { name: 'Redirect' });
      await dialog.getByLabel('Whom').selectOption({ label: '3 eve@d.test' });
      await dialog.getByLabel('New address').fill(to);
      await dialog.getByLabel('Reason, for the record').fill('moved');
      await dialog.getByRole('button', { name: 'Redirect', exact: true }).click();
    };
    await redirect('nowhere');
    await page.getByText('is no address to send to').waitFor();
    await page.goBack();
    await redirect('eve@new.test');
    await page.locator('#rcpt-3', { hasText: 'eve@new.test' }).waitFor();
    expect(await page.locator('#rcpt-3').innerText()).toContain('was eve@d.test');
  });

  it('is worked by keys alone, and shows where one is', async () => {
    await open('/');
    await page.keyboard.press('Tab');
    const skip = page.getByRole('link', { name: 'Skip to the page' });
    expect(await page.evaluate(`document.activeElement.textContent`)).toBe('Skip to the page');
    expect((await skip.boundingBox())!.width).toBeGreaterThan(50);
    await page.keyboard.press('Enter');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('q');
    await page.waitForURL(/\/queue$/);
    await page.keyboard.press('j');
    const outline = await page.evaluate(`getComputedStyle(document.activeElement).outlineStyle`);
    expect(outline).toBe('solid');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/letters\//);
    await page.keyboard.press('/');
    await page.waitForURL(/\/search$/);
    await page.locator('#first-field:focus').waitFor();
  });

  it('is dark when the system is, and turns at a key, and remembers', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await open('/');
    const paper = () => page.evaluate(`getComputedStyle(document.documentElement).backgroundColor`);
    const dark = await paper();
    await page.keyboard.press('t');
    const light = await paper();
    expect(light).not.toBe(dark);
    await page.reload();
    expect(await paper()).toBe(light);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.keyboard.press('t');
    expect(await paper()).toBe(dark);
    await page.evaluate(`localStorage.clear()`);
  });

  it('fits a phone of 360 pixels on every page', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    const paths = [
      '/',
      '/queue',
      '/search',
      '/hosts',
      '/tail',
      `/letters/${desk.ids.hostile}`,
      `/letters/${desk.ids.many}`,
    ];
    for (const path of paths) {
      await open(path);
      const [wide, has] = await page.evaluate<[number, number]>(
        `[document.documentElement.scrollWidth, document.documentElement.clientWidth]`,
      );
      expect([path, wide]).toEqual([path, has]);
    }
    await page.setViewportSize({ width: 1280, height: 900 });
  });

  it('never made the browser complain', () => {
    // The answer to an address that is none is a page, and 409.
    expect(complaints.filter((words) => !words.includes('409'))).toEqual([]);
  });
});

inBrowser('a desk with a password', () => {
  it('lets in who knows it, keeps out who does not, and lets go', async () => {
    const desk = await openDesk({ password: true, ownUid: process.getuid!() });
    const context = await browser!.newContext();
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      await page.goto(`${desk.url}/letters/${desk.ids.many}`);
      await page.getByLabel('Your name').fill('anna');
      await page.getByLabel('Password').fill('wrong one');
      await page.keyboard.press('Enter');
      await page.getByText('That is not the password').waitFor();
      await page.getByLabel('Your name').fill('anna');
      await page.getByLabel('Password').fill(password);
      await page.keyboard.press('Enter');
      await page.waitForURL(new RegExp(desk.ids.many));
      const [cookie] = await page.context().cookies();
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
      await page.getByRole('button', { name: 'Retry now…' }).click();
      await page.getByRole('dialog').getByLabel('Reason, for the record').fill('try');
      await page.keyboard.press('Enter');
      await page.locator('.done').waitFor();
      expect(desk.orders[0]).toMatchObject({ by: 'anna (desk)', act: 'retry' });
      await page.getByRole('button', { name: /Log out/ }).click();
      await page.waitForURL(/\/login$/);
      await page.goto(`${desk.url}/queue`);
      expect(page.url()).toContain('/login?next=%2Fqueue');
    } finally {
      await context.close();
      await desk.close();
    }
  });

  it('does nothing that another site’s page asks for', async () => {
    const desk = await openDesk({ ownUid: process.getuid!() });
    const context = await browser!.newContext();
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      await page.route('http://evil.test/', (route) =>
        route.fulfill({
          contentType: 'text/html',
          body: `<form method=post action="${desk.url}/letters/${desk.ids.many}/cancel"><input name=why value=x><button>go</button></form><iframe src="${desk.url}/"></iframe>`,
        }),
      );
      await page.goto('http://evil.test/');
      const read = await page.evaluate(
        async (url) =>
          fetch(url).then(
            (answer) => answer.text(),
            () => 'kept out',
          ),
        `${desk.url}/api/v1/queue`,
      );
      expect(read).toBe('kept out');
      const framed = await page.frames()[1]!.locator('.brand').count();
      expect(framed).toBe(0);
      await page.getByRole('button').click();
      await page.getByText('the request comes from another site').waitFor();
      expect(desk.orders).toEqual([]);
    } finally {
      await context.close();
      await desk.close();
    }
  });
});

function findChromium(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
  const places = (process.env['PATH'] ?? '').split(delimiter);
  return places.flatMap((place) => names.map((name) => join(place, name))).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
