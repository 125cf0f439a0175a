import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

interface Order {
  readonly number: number;
  readonly text: string;
}

/** Tells of each new order. A thousand pages may listen. */
const orders = new EventEmitter<{ placed: [order: Order] }>().setMaxListeners(0);

let placed = 0;

function renderPage(count: number): string {
  const rows = Array.from(
    { length: count },
    (_, row): string => `<tr><td>${row}</td><td>order ${placed + row}</td></tr>`,
  );
  return `<table>${rows.join('')}</table>`;
}

/** The listener holds the response and its page, and stays when the client is gone: this is the leak. */
function followOrders(response: ServerResponse): void {
  const page: Buffer = Buffer.from(renderPage(2_000));
  orders.on('placed', (order: Order): void => {
    if (!response.writableEnded) response.write(`<p>${order.number}: ${order.text} (page of ${page.length} bytes)</p>`);
  });
  response.end(page);
}

/** Places an order, and shows the page of all of them. */
export function answerOrders(_request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  orders.emit('placed', { number: ++placed, text: body.toString() });
  followOrders(response);
}
